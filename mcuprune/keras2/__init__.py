"""Models of tf_keras (Keras 2) as models of Keras 3."""
