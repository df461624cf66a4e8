use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::PublicKey;
use crate::jwt::SigningAlgorithm;

/// Longest `kid` in bytes.
const MAX_KID: usize = 255;

/// The members of a JWK that matter here. Anything else (`x5c`, `x5u`, ...) is not looked at.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads a key; `None` for one that is of no use here: symmetric, too weak, for encryption, unknown.
pub(super) fn read(value: serde_json::Value) -> Option<(Option<Box<str>>, PublicKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
    let verifies = jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    let kid_fine = jwk.kid.as_ref().is_none_or(|kid| (1..=MAX_KID).contains(&kid.len()));
    if !signs || !verifies || !kid_fine {
        return None;
    }
    let key = match jwk.kty.as_str() {
        "RSA" => rsa(&jwk)?,
        "EC" if jwk.crv.as_deref() == Some("P-256") => p256(&jwk)?,
        "OKP" if jwk.crv.as_deref() == Some("Ed25519") => ed25519(&jwk)?,
        _ => return None,
    };
    // The algorithm is fixed by the key; a name that contradicts it makes the key unusable.
    let algorithm_fine = jwk.alg.as_deref().is_none_or(|alg| match key.algorithm() {
        SigningAlgorithm::EdDsa => matches!(alg, "EdDSA" | "Ed25519"),
        other => alg == other.as_str(),
    });
    algorithm_fine.then(|| (jwk.kid.map(Into::into), key))
}

fn rsa(jwk: &Jwk) -> Option<PublicKey> {
    let n = bytes(jwk.n.as_deref())?;
    let e = bytes(jwk.e.as_deref())?;
    let n = n.get(n.iter().position(|byte| *byte != 0)?..)?;
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    let exponent_fine = e.len() <= 8 && e.last()? % 2 == 1 && e.as_slice() != [1];
    ((2048..=8192).contains(&bits) && exponent_fine).then(|| {
        PublicKey::new(SigningAlgorithm::Rs256, DecodingKey::from_rsa_raw_components(n, &e))
    })
}

fn p256(jwk: &Jwk) -> Option<PublicKey> {
    let (x, y) = (bytes(jwk.x.as_deref())?, bytes(jwk.y.as_deref())?);
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    (x.len() == 32 && y.len() == 32)
        .then(|| PublicKey::new(SigningAlgorithm::Es256, DecodingKey::from_ec_der(&point)))
}

fn ed25519(jwk: &Jwk) -> Option<PublicKey> {
    let x = bytes(jwk.x.as_deref())?;
    (x.len() == 32).then(|| PublicKey::new(SigningAlgorithm::EdDsa, DecodingKey::from_ed_der(&x)))
}

fn bytes(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}
