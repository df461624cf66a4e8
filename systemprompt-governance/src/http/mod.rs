//! The hook and API doors as axum routers.
