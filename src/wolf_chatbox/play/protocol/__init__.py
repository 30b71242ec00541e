<<<<<<< .merge_file_CDnpJQ
"""The contest's protocol, both sides."""
=======
"""The protocol of the AIWolf NLP contest, both sides of it: https://github.com/aiwolfdial/aiwolf-nlp-server."""
>>>>>>> .merge_file_rWrof3
