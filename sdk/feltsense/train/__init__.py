"""Fitting a model from labelled recordings; needs the extra ``train``."""
