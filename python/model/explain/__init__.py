"""Explanations: SHAP values that are proven to add up to what the model serves."""
