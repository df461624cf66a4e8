use serde_json::json;

use super::jwk;
use crate::error::IdentityError;

/// A signature that was made elsewhere.
struct Vector {
    name: &'static str,
    jwk: serde_json::Value,
    message: &'static [u8],
    signature: &'static str,
}

/// Checks, with signatures made elsewhere, that good ones are accepted and bad ones are not: a
/// signature library without its cryptography must stop the start, not a request.
pub(crate) fn self_check() -> Result<(), IdentityError> {
    for vector in vectors() {
        let failed = IdentityError::SelfCheck(vector.name);
        let Some((_, key)) = jwk::read(vector.jwk) else { return Err(failed) };
        let Ok(mut signature) = hex::decode(vector.signature) else { return Err(failed) };
        let good = key.verifies(vector.message, &signature);
        if let Some(byte) = signature.last_mut() {
            *byte ^= 1;
        }
        if !good || key.verifies(vector.message, &signature) {
            return Err(failed);
        }
    }
    Ok(())
}

fn vectors() -> [Vector; 3] {
    [
        Vector {
            name: "RS256",
            jwk: json!({ "kty": "RSA", "e": "AQAB", "n": RSA_MODULUS }),
            message: b"systemprompt self-check",
            signature: RSA_SIGNATURE,
        },
        // RFC 7515, appendix A.3.
        Vector {
            name: "ES256",
            jwk: json!({
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            }),
            message: b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            signature: "0ed1215379636c483c2f7f155807d402a3b228033af97c7e17819ac3169ea665c50a07d38c3c70e5d8f12daf084a5480a66590c5f293509a8f3f7f8a83a354d5",
        },
        // RFC 8032, section 7.1, test 2.
        Vector {
            name: "EdDSA",
            jwk: json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
            }),
            message: &[0x72],
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        },
    ]
}

/// A key that was made for this and thrown away.
const RSA_MODULUS: &str = "0Ya379Rs-GvCfF_Iq7v_2nAhhY734NFjv30ysl6mjDoRyj87a7CLYL5lcpbEdsV3An-1flgYK5doVdPGkB-2QHZb74be4D1s7GtyO6xwjaeSqOIjQz5tuLOHRw0j8TgM6TFa217AdlGbEvdgjPegdkqhLXvKqEo15ZfUM_Kr3lp3ndEkBoZ4Utxufk66fsBAXPurtodRKiB6EZu2JOw6uvG4-hs2OW5n0FPQUt4tnTwKJXU4Se0IOM1doa_TYDfWl_XckX1GiZTwhO6XvvUvy5GN2rQP7h6rsRiidQWR-eA9-3Bi-_pdKIgfywafXsGMTomY6M_TXwk-dDdhPTKpmw";
const RSA_SIGNATURE: &str = "a896ae4072ac6c37d09271faef7b2e39728879bc580c4f5ed348ceeba24a56350adb3ca2f3c4892a14df9545e404f2f34dfcc1e05c07343102290885459740dd40ea9fc9b03d2f8955b1e79a4482255828bb1aadd9d96d4b9ad512b6aa0dfed6e4a008e74ced7af8e4e99080de20d4b841fbf51912cd24a65ee9fe05e4cd582e9538f73ce380012b665f5ca90918d107835c9dbe7424986c793994cb6a01c30c3b61f8ffd9117243e0218694731f02f870e7bfc4f4ea091f8e9d734897a13852b4d030626f0911b94e477013ad7fb7736cd5bb6c36f3cf6cf153d159989fc36857d2cc4a0e6f5c3c61add5e0f5c3bb3e619d6c1d7d5553cef4150c57c0a380a4";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_in_use_verifies_as_it_should() {
        self_check().unwrap();
    }
}
