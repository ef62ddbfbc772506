"""Evaluation of models: metrics, calibration, suspected labels, advice."""
