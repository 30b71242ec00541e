"""The web page: where people make characters from their files, talk with them, and judge them."""
