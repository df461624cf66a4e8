//! Caps in microdollars and tokens: reserved before a request, settled after it.
