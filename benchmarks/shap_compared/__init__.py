"""The service and shap beside Shapley values by brute force: `python -m benchmarks.shap_compared`.

The truth is brute force over all coalitions of the input features. With a background, the
estimator itself predicts every mixture of a record and a row of it. Without one, the worth of a
coalition is defined by the splits of the trees, and computed from them by that definition.
"""
