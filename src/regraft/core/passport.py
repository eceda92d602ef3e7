"""Where a backbone's weights came from."""

from dataclasses import asdict, dataclass

from regraft.core.display import html_list


@dataclass(frozen=True)
class Passport:
    """What must be known of weights before they are reused.

    `unknown` stands where the checkpoint does not say; regraft never guesses a licence.

    Attributes:
        name: The checkpoint's own name.
        source: How `--backbone` names it, so that it can be loaded again; a folder by its absolute path.
        revision: Commit or tag of a hub checkpoint, version of a package, or empty.
        sha256: Of the weights file; empty for random weights.
        license: SPDX identifier or the checkpoint's own words.
        source_data: What it was pre-trained on.
        input_size: Height and width in pixels, or the longest token sequence.
        mean: Per channel, subtracted after scaling to 0-1; empty for text.
        std: Per channel; empty for text.
    """

    name: str
    source: str
    revision: str = ""
    sha256: str = ""
    license: str = "unknown"
    source_data: str = "unknown"
    input_size: tuple[int, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def _repr_html_(self) -> str:
        return html_list([f"weights: {self.source}", f"licence: {self.license}", f"source data: {self.source_data}"])

    def to_json(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, object]) -> "Passport":
        """The passport that `to_json` wrote."""
        lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
        return cls(**{**data, **lists})  # type: ignore[arg-type]
