//! Gemini `generateContent`: upstream.
