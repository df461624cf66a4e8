//! OpenAI Chat Completions: front and upstream.
