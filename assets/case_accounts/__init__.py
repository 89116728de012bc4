"""One account a case (一案一账户): what arrives, to whom it belongs, what is paid out, with books that must balance."""
