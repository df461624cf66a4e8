//! OpenAI Responses: front and upstream.
