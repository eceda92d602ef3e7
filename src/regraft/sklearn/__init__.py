"""scikit-learn estimators over `regraft.fit`: for pipelines, grid searches and cross-validation."""

from regraft.sklearn.classifiers import ImageClassifier, TextClassifier

__all__ = ["ImageClassifier", "TextClassifier"]
