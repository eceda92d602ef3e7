"""scikit-learn estimators over `regraft.fit`: for pipelines, grid searches and cross-validation."""

from regraft.sklearn.classifiers import ImageClassifier, TextClassifier
from regraft.sklearn.regressor import TextRegressor

__all__ = ["ImageClassifier", "TextClassifier", "TextRegressor"]
