//! Tenants, users, roles, departments and API keys.

#[doc(inline)]
pub use systemprompt_identity::{
    IdentityError, IdentityStore, IssuedKey, KEY_PREFIX, KeyInfo, NewKey, NewUser, SeedUser,
    Seeded, TenantInfo, TokenRevocation, UserInfo, schema,
};
