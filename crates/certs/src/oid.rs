//! The object identifiers this crate knows, in dotted form, and their names for people.

macro_rules! identifiers {
    ($($name:ident = $dotted:literal, $text:literal;)*) => {
        $(#[doc = $text] #[allow(dead_code, reason = "some are only named in messages")] pub(crate) const $name: &str = $dotted;)*

        /// The usual name of an identifier, or its dotted form when it is not known here.
        pub(crate) fn name(dotted: &str) -> String {
            match dotted {
                $($dotted => $text.to_owned(),)*
                other => other.to_owned(),
            }
        }
    };
}

identifiers! {
    DATA = "1.2.840.113549.1.7.1", "data";
    SIGNED_DATA = "1.2.840.113549.1.7.2", "signedData (integrity by public key)";
    ENVELOPED_DATA = "1.2.840.113549.1.7.3", "envelopedData (privacy by public key)";
    ENCRYPTED_DATA = "1.2.840.113549.1.7.6", "encryptedData";

    KEY_BAG = "1.2.840.113549.1.12.10.1.1", "keyBag";
    SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2", "pkcs8ShroudedKeyBag";
    CERT_BAG = "1.2.840.113549.1.12.10.1.3", "certBag";
    CRL_BAG = "1.2.840.113549.1.12.10.1.4", "crlBag";
    SECRET_BAG = "1.2.840.113549.1.12.10.1.5", "secretBag";
    SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6", "safeContentsBag";
    X509_CERTIFICATE = "1.2.840.113549.1.9.22.1", "x509Certificate";
    FRIENDLY_NAME = "1.2.840.113549.1.9.20", "friendlyName";
    LOCAL_KEY_ID = "1.2.840.113549.1.9.21", "localKeyId";

    PBE_SHA1_RC4_128 = "1.2.840.113549.1.12.1.1", "pbeWithSHA1And128BitRC4";
    PBE_SHA1_RC4_40 = "1.2.840.113549.1.12.1.2", "pbeWithSHA1And40BitRC4";
    PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3", "pbeWithSHA1And3-KeyTripleDES-CBC";
    PBE_SHA1_2DES = "1.2.840.113549.1.12.1.4", "pbeWithSHA1And2-KeyTripleDES-CBC";
    PBE_SHA1_RC2_128 = "1.2.840.113549.1.12.1.5", "pbeWithSHA1And128BitRC2-CBC";
    PBE_SHA1_RC2_40 = "1.2.840.113549.1.12.1.6", "pbeWithSHA1And40BitRC2-CBC";
    PBE_MD2_DES = "1.2.840.113549.1.5.1", "pbeWithMD2AndDES-CBC";
    PBE_MD2_RC2 = "1.2.840.113549.1.5.4", "pbeWithMD2AndRC2-CBC";
    PBE_MD5_DES = "1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC";
    PBE_MD5_RC2 = "1.2.840.113549.1.5.6", "pbeWithMD5AndRC2-CBC";
    PBE_SHA1_DES = "1.2.840.113549.1.5.10", "pbeWithSHA1AndDES-CBC";
    PBE_SHA1_RC2 = "1.2.840.113549.1.5.11", "pbeWithSHA1AndRC2-CBC";
    PBKDF2 = "1.2.840.113549.1.5.12", "PBKDF2";
    PBES2 = "1.2.840.113549.1.5.13", "PBES2";
    PBMAC1 = "1.2.840.113549.1.5.14", "PBMAC1";
    SCRYPT = "1.3.6.1.4.1.11591.4.11", "scrypt";

    HMAC_MD5 = "1.2.840.113549.2.6", "hmacWithMD5";
    HMAC_SHA1 = "1.2.840.113549.2.7", "hmacWithSHA1";
    HMAC_SHA224 = "1.2.840.113549.2.8", "hmacWithSHA224";
    HMAC_SHA256 = "1.2.840.113549.2.9", "hmacWithSHA256";
    HMAC_SHA384 = "1.2.840.113549.2.10", "hmacWithSHA384";
    HMAC_SHA512 = "1.2.840.113549.2.11", "hmacWithSHA512";
    HMAC_SHA512_224 = "1.2.840.113549.2.12", "hmacWithSHA512-224";
    HMAC_SHA512_256 = "1.2.840.113549.2.13", "hmacWithSHA512-256";
    HMAC_GOST = "1.2.643.7.1.1.4.1", "HMAC GOST R 34.11-2012 256";

    DES_CBC = "1.3.14.3.2.7", "DES-CBC";
    DES_EDE3_CBC = "1.2.840.113549.3.7", "3DES-CBC";
    RC2_CBC = "1.2.840.113549.3.2", "RC2-CBC";
    RC5_CBC = "1.2.840.113549.3.9", "RC5-CBC";
    AES_128_CBC = "2.16.840.1.101.3.4.1.2", "AES-128-CBC";
    AES_192_CBC = "2.16.840.1.101.3.4.1.22", "AES-192-CBC";
    AES_256_CBC = "2.16.840.1.101.3.4.1.42", "AES-256-CBC";
    AES_128_GCM = "2.16.840.1.101.3.4.1.6", "AES-128-GCM";
    AES_256_GCM = "2.16.840.1.101.3.4.1.46", "AES-256-GCM";
    CAMELLIA_128_CBC = "1.2.392.200011.61.1.1.1.2", "Camellia-128-CBC";
    CAMELLIA_192_CBC = "1.2.392.200011.61.1.1.1.3", "Camellia-192-CBC";
    CAMELLIA_256_CBC = "1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC";
    ARIA_256_CBC = "1.2.410.200046.1.1.12", "ARIA-256-CBC";
    SM4_CBC = "1.2.156.10197.1.104.2", "SM4-CBC";

    MD2 = "1.2.840.113549.2.2", "MD2";
    MD4 = "1.2.840.113549.2.4", "MD4";
    MD5 = "1.2.840.113549.2.5", "MD5";
    SHA1 = "1.3.14.3.2.26", "SHA-1";
    SHA224 = "2.16.840.1.101.3.4.2.4", "SHA-224";
    SHA256 = "2.16.840.1.101.3.4.2.1", "SHA-256";
    SHA384 = "2.16.840.1.101.3.4.2.2", "SHA-384";
    SHA512 = "2.16.840.1.101.3.4.2.3", "SHA-512";
    SHA512_224 = "2.16.840.1.101.3.4.2.5", "SHA-512/224";
    SHA512_256 = "2.16.840.1.101.3.4.2.6", "SHA-512/256";
    SHA3_224 = "2.16.840.1.101.3.4.2.7", "SHA3-224";
    SHA3_256 = "2.16.840.1.101.3.4.2.8", "SHA3-256";
    SHA3_384 = "2.16.840.1.101.3.4.2.9", "SHA3-384";
    SHA3_512 = "2.16.840.1.101.3.4.2.10", "SHA3-512";
    RIPEMD160 = "1.3.36.3.2.1", "RIPEMD-160";
    WHIRLPOOL = "1.0.10118.3.0.55", "Whirlpool";
    SM3 = "1.2.156.10197.1.401", "SM3";
    STREEBOG256 = "1.2.643.7.1.1.2.2", "GOST R 34.11-2012 256";

    RSA = "1.2.840.113549.1.1.1", "RSA";
    RSA_PSS = "1.2.840.113549.1.1.10", "RSA-PSS";
    DSA = "1.2.840.10040.4.1", "DSA";
    EC = "1.2.840.10045.2.1", "elliptic curve";
    P256 = "1.2.840.10045.3.1.7", "P-256";
    P384 = "1.3.132.0.34", "P-384";
    P521 = "1.3.132.0.35", "P-521";
    P224 = "1.3.132.0.33", "P-224";
    SECP256K1 = "1.3.132.0.10", "secp256k1";
    BRAINPOOL256 = "1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1";
    BRAINPOOL384 = "1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1";
    BRAINPOOL512 = "1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1";
    X25519 = "1.3.101.110", "X25519";
    X448 = "1.3.101.111", "X448";
    ED25519 = "1.3.101.112", "Ed25519";
    ED448 = "1.3.101.113", "Ed448";
    ML_DSA_44 = "2.16.840.1.101.3.4.3.17", "ML-DSA-44";
    ML_DSA_65 = "2.16.840.1.101.3.4.3.18", "ML-DSA-65";
    ML_DSA_87 = "2.16.840.1.101.3.4.3.19", "ML-DSA-87";

    MD5_WITH_RSA = "1.2.840.113549.1.1.4", "MD5 with RSA";
    SHA1_WITH_RSA = "1.2.840.113549.1.1.5", "SHA-1 with RSA";
    SHA256_WITH_RSA = "1.2.840.113549.1.1.11", "SHA-256 with RSA";
    SHA384_WITH_RSA = "1.2.840.113549.1.1.12", "SHA-384 with RSA";
    SHA512_WITH_RSA = "1.2.840.113549.1.1.13", "SHA-512 with RSA";
    ECDSA_WITH_SHA1 = "1.2.840.10045.4.1", "ECDSA with SHA-1";
    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2", "ECDSA with SHA-256";
    ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3", "ECDSA with SHA-384";
    ECDSA_WITH_SHA512 = "1.2.840.10045.4.3.4", "ECDSA with SHA-512";

    SERVER_AUTH = "1.3.6.1.5.5.7.3.1", "server authentication";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2", "client authentication";
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0", "any extended key usage";
}
