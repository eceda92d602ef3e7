"""The questions: the three classical ones, then others of their kind."""

from regraft.scenarios.scenario import Answer, Ground, Scenario

IMAGENET, INSECTS = "models/mobilenetv2_100.imagenet", "models/mobilenetv2_100.inat_insect"
TUNED = ("full-fine-tuning", "lp-ft", "gradual-unfreezing", "partial-fine-tuning", "lora")
WHOLE = ("full-fine-tuning", "lp-ft", "gradual-unfreezing")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        1,
        "flowers",
        "Ten kinds of flowers",
        "You have ten kinds of flowers with 50 pictures of each. The task is close to general object recognition. "
        "What is the safest and most effective strategy to begin with?",
        (
            Answer("a", "Train a large network from scratch on the 500 pictures.", ("from-scratch",)),
            Answer(
                "b",
                "Take a network pre-trained on ImageNet, freeze all of it and train a new head on its features.",
                ("feature-extraction",),
            ),
            Answer("c", "Take the same network and tune all of its weights right away.", ("full-fine-tuning",)),
            Answer("d", "Tune the same network through low-rank adapters.", ("lora",)),
        ),
        Ground(
            "data/vision/flowers5",
            (IMAGENET,),
            50,
            "flowers5: five kinds of flowers, 50 pictures of each to learn from",
        ),
        "safest",
        "With few labels and a near domain the features are there already: a head on them has little that can go wrong.",
    ),
    Scenario(
        2,
        "sentences",
        "A head for sentences",
        "You want to sort whole sentences into classes with a pre-trained BERT. Which head do you graft on it?",
        (
            Answer("a", "One that labels each token.", heads=("token",)),
            Answer("b", "One that marks the first and last token of a span.", heads=("span",)),
            Answer(
                "c",
                "A linear or logistic classifier on one vector for the sentence: the class token or the mean of its tokens.",
                heads=("logistic", "linear", "mlp"),
            ),
            Answer("d", "A decoder that writes the class's name.", heads=("decoder",)),
        ),
        Ground("embedded:intents", ("bundled:minilm",), None, "the embedded customer messages, eight intents"),
        "head",
        "One answer per sentence needs one vector per sentence; token and span heads answer other questions.",
    ),
    Scenario(
        3,
        "advantage",
        "The greatest advantage",
        "What is the single most important advantage of transfer learning over training a large model from scratch?",
        (
            Answer("a", "The resulting network is smaller.", claim="smaller-network"),
            Answer("b", "It needs far fewer labels, and less computing, for the same result.", claim="fewer-labels"),
            Answer("c", "It is never worse than training from scratch.", claim="never-worse"),
            Answer("d", "It needs no labels at all.", claim="no-labels"),
        ),
        Ground("embedded:intents", ("bundled:minilm",), None, "the embedded customer messages, eight intents"),
        "claim",
        "Pre-training has paid for the features once; what is left to learn is small.",
    ),
    Scenario(
        4,
        "far-domain",
        "A far domain",
        "Eight kinds of blood cells under a microscope, 50 pictures of each: nothing like the photographs that your network "
        "was pre-trained on. What do you do?",
        (
            Answer(
                "a", "Freeze the network and train a head on its last features.", ("feature-extraction",), ("last",)
            ),
            Answer(
                "b",
                "Freeze it and train a head on all stages or an earlier one.",
                ("feature-extraction",),
                ("all", "earlier"),
            ),
            Answer("c", "Begin from the pre-trained weights and tune the network.", TUNED),
            Answer("d", "Pre-training cannot help here: train from scratch.", ("from-scratch",)),
        ),
        Ground(
            "data/vision/blood_cells",
            (IMAGENET,),
            50,
            "blood_cells: stained smears, 50 pictures of each of eight kinds",
        ),
        "expected",
        "The farther the domain, the less the last features fit and the more tuning is worth; the start still helps.",
    ),
    Scenario(
        5,
        "plenty",
        "Plenty of data",
        "Three thousand labelled questions in six classes, and a small pre-trained sentence encoder. What will do best?",
        (
            Answer("a", "A head on its frozen features.", ("feature-extraction",)),
            Answer("b", "Tune the pre-trained network.", TUNED),
            Answer("c", "With that many labels, train it from scratch.", ("from-scratch",)),
        ),
        Ground("data/text/trec6", ("bundled:minilm",), None, "trec6: factoid questions in six classes"),
        "expected",
        "Hundreds of labels per class are enough to move the weights without harm.",
    ),
    Scenario(
        6,
        "tiny-texts",
        "A tiny set of texts",
        "Eight intents of customer messages, ten examples of each, and nothing more. What do you do first?",
        (
            Answer("a", "A head on the frozen features of a sentence encoder.", ("feature-extraction",)),
            Answer("b", "Tune the whole encoder for many epochs.", ("full-fine-tuning",)),
            Answer("c", "Train a small network of your own from scratch.", ("from-scratch",)),
        ),
        Ground("embedded:intents", ("bundled:minilm",), 10, "the embedded customer messages, ten of each intent"),
        "safest",
        "With ten examples tuning swings from one draw to the next; a head on frozen features hardly does.",
    ),
    Scenario(
        7,
        "keep-source",
        "It must not forget",
        "Your network must go on doing what it was pre-trained for, to the bit, and learn kinds of flowers besides. What do you do?",
        (
            Answer("a", "Tune all weights at a small rate.", WHOLE),
            Answer("b", "Merge low-rank adapters into the weights.", ("lora",)),
            Answer("c", "Leave the trunk as it is and put a second head on its features.", ("feature-extraction",)),
            Answer("d", "Train a network from scratch and throw the old one away.", ("from-scratch",)),
        ),
        Ground(
            "data/vision/flowers5",
            (IMAGENET,),
            50,
            "flowers5: five kinds of flowers, 50 pictures of each to learn from",
        ),
        "keeps-source",
        "A frozen trunk is the same trunk. Where tuning gains more than you can do without, `fit --keep-source 2%` bounds the loss.",
    ),
    Scenario(
        8,
        "two-backbones",
        "Two candidate backbones",
        "Ants or bees? You can begin from a network that knows a thousand everyday objects or from one of the same size that knows a "
        "thousand insects. Which one?",
        (
            Answer("a", "The one of everyday objects: its source is broader.", backbone=IMAGENET),
            Answer("b", "The one of insects: its source is nearer to the task.", backbone=INSECTS),
            Answer("c", "It does not matter: a head is trained anyway.", backbone="either"),
        ),
        Ground("data/vision/hymenoptera", (IMAGENET, INSECTS), None, "hymenoptera: photographs of ants and bees"),
        "backbone",
        "Which weights to begin from often matters more than how they are tuned: probe every candidate, it takes seconds.",
    ),
)
