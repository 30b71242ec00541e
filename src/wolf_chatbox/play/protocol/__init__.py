"""The protocol of the AIWolf NLP contest, both sides of it: https://github.com/aiwolfdial/aiwolf-nlp-server."""
