"""Operators for cores with the DSP extension: weights laid out anew, offsets in the bias."""
