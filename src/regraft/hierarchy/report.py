"""The report of a feature hierarchy: one HTML file that needs nothing else."""

from html import escape
from pathlib import Path

from regraft.core.words import backbone_said, metric_said
from regraft.hierarchy import patches as patching
from regraft.hierarchy import texts
from regraft.hierarchy.figures import cka_figure, filters_png, patches_png, stage_accuracies
from regraft.hierarchy.found import Probe
from regraft.hierarchy.patches import StagePatches
from regraft.hierarchy.texts import Anchor
from regraft.reporting import figure, page, picture, table, write_page

EXTRA = """
.strip { display: inline-block; margin: 0 1.2rem .8rem 0; vertical-align: top; } .strip img { display: block; max-width: 100%; }
.strip span { font-size: .85rem; color: var(--soft); } img.filters { image-rendering: pixelated; max-width: 100%; }
.words { white-space: normal !important; } .words .line span { padding: .1rem .15rem; border-radius: .2rem; color: #1a1a1a; }
.words .line { background: #ffffff; border-radius: .3rem; padding: .1rem .3rem; display: inline-block; line-height: 1.8; }
.words .near { display: block; font-size: .9rem; color: var(--soft); } .same { color: #009e73; } .other { color: #d55e00; }
@media (max-width: 40rem) { .anchor tr { display: grid; grid-template-columns: 1fr auto; border-bottom: 1px solid var(--line); }
.anchor th, .anchor td { border: 0; } .anchor .words { grid-column: 1 / -1; } }
"""
LEGEND = (
    "Width: features of the stage. Learnt from: the probe on the samples that it has learnt from. LogME: how well linear "
    "models explain the labels, from the features alone (You 2021); higher is better. CKA: how like the last stage it is."
)


def write_report(folder: Path, found: Probe) -> Path:
    """Write `report.html`; its path."""
    title = f"{found.task}: the feature hierarchy of {backbone_said(found.backbone)}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{found.samples} training samples, {len(found.classes)} classes; no validation or test sample '
        "was read. Probes are linear models of frozen features, cross-validated; intervals are 80 %.</p>"
        if found.classes
        else f'<p class="soft">{found.samples} training samples; no validation or test sample was read. Probes are ridge '
        "regressions of frozen features, each sample predicted without itself; intervals are 80 %.</p>",
        *(f'<p class="said">{escape(line)}</p>' for line in found.sentences),
        "<h2>How well each stage serves the task</h2>",
        figure(
            stage_accuracies(found.stages, found.raw, found.together, found.chance, metric_said(found.metric)),
            "Probe of each stage, input side first. A gap between the lines: the stage knows its samples by heart.",
        ),
        table(
            ("stage", "width", f"probe {metric_said(found.metric)}", "80 % interval", "learnt from", "LogME", "CKA"),
            _rows(found),
        ),
        f'<p class="soft">{escape(LEGEND)}</p>',
        "<h2>How alike stages are</h2>",
        figure(
            cka_figure([one.name for one in found.stages], found.cka),
            "Debiased linear CKA on the training samples: 1 = the same up to rotation and scale, 0 = unrelated.",
        ),
    ]
    if found.filters is not None:
        parts += _filters(found)
    if found.patches:
        parts += ["<h2>What each stage looks for</h2>", f'<p class="soft">{escape(patching.RULE)}</p>']
        parts += [_stage_patches(found, one) for one in found.patches]
    if found.anchors:
        parts += ["<h2>Single texts through the layers</h2>", f'<p class="soft">{escape(texts.RULE)}</p>']
        parts += [_anchor(found, one) for one in found.anchors]
    file = folder / "report.html"
    write_page(file, page(title, parts, style=EXTRA))
    return file


def _rows(found: Probe) -> list[tuple[str, ...]]:
    return [
        (
            one.name,
            str(one.width),
            f"{one.probe_accuracy:.3f}",
            f"{one.low:.3f} to {one.high:.3f}",
            f"{one.train_accuracy:.3f}",
            f"{one.transferability:.3f}",
            f"{one.similarity_to_last:.2f}",
        )
        for one in found.stages
    ]


def _filters(found: Probe) -> list[str]:
    if found.filters is None:
        return []
    height, width = found.filters.pictures.shape[1:3]
    dead = found.filters.dead
    said = (
        f"The {len(found.filters.pictures)} filters of {found.filters.layer}, {height} x {width} pixels each; grey = 0, "
        "each at its own full contrast." + (f" {dead} are all 0." if dead else "")
    )
    shown = picture(filters_png(found.filters), said).replace("<img", '<img class="filters"', 1)
    return ["<h2>First-layer filters</h2>", f"<figure>{shown}<figcaption>{escape(said)}</figcaption></figure>"]


def _stage_patches(found: Probe, stage: StagePatches) -> str:
    name = found.stages[stage.stage].name
    share = min(1.0, stage.field / min(stage.side))
    looks = "all of the picture" if share > 0.95 else f"about {stage.field:.0f} of {min(stage.side)} pixels across"
    strips = []
    for channel in stage.channels:
        label = found.classes[channel.label]
        said = f"channel {channel.number}: most for {label} (F {channel.ratio:.1f})"
        strips.append(f'<div class="strip">{picture(patches_png(channel), said)}<span>{escape(said)}</span></div>')
    return f"<h3>{escape(name)}</h3><p class=soft>One position looks at {looks}.</p>{''.join(strips)}"


def _anchor(found: Probe, anchor: Anchor) -> str:
    label = found.classes[anchor.label]
    pair = f" / {anchor.pair}" if anchor.pair else ""
    rows = []
    for number, stage in enumerate(found.stages):
        near = anchor.neighbours[number]
        mark = "same" if near.label == anchor.label else "other"
        rows.append(
            f"<tr><td>{escape(stage.name)}</td><td class=number>{anchor.probabilities[number]:.2f}</td>"
            f'<td class="words"><span class="line">{_words(anchor, number)}</span>'
            f'<span class="near">nearest: {escape(near.text)} '
            f'<span class="{mark}">{escape(found.classes[near.label])}</span></span></td></tr>'
        )
    head = (
        f"<th>layer</th><th class=number>p({escape(label)})</th><th class=words>words, and the nearest other text</th>"
    )
    return (
        f"<h3>{escape(anchor.text + pair)} <span class=soft>({escape(label)})</span></h3>"
        f'<div class="table anchor"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _words(anchor: Anchor, stage: int) -> str:
    """The words, coloured by how much the class's probability falls without each."""
    falls = anchor.falls[stage]
    most = max(max(map(abs, falls), default=0.0), 0.05)  # differences below that are no news
    shown = []
    for word, fall in zip(anchor.words, falls, strict=True):
        colour = "213, 94, 0" if fall > 0 else "0, 114, 178"
        style = f"background: rgba({colour}, {0.75 * min(abs(fall) / most, 1):.2f})"
        shown.append(f'<span style="{style}" title="{fall:+.2f}">{escape(word)}</span>')
    return " ".join(shown)
