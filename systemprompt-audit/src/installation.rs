//! The id of the installation a database belongs to.

use sqlx::sqlite::SqliteConnection;
use systemprompt_core::clock::Timestamp;

use crate::StoreError;
use crate::store::sqlite::log;

/// Digits and letters without those that look alike.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The installation's id; made the first time.
pub(crate) async fn id(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<String, StoreError> {
    Ok(log::installation(connection, &fresh(), now).await?)
}

/// Twelve random characters: 60 bits.
fn fresh() -> String {
    let mut bits: u64 = rand::random();
    let mut next = || {
        let at = usize::try_from(bits & 31).unwrap_or_default();
        bits >>= 5;
        ALPHABET.get(at).copied().map_or('0', char::from)
    };
    (0..12).map(|_| next()).collect()
}
