//! Anthropic Messages: front and upstream.
