//! secp256k1 signatures in 64 bytes (EIP-2098): `r`, then `s` with the parity of the nonce point's y above it.
use super::super::Address;
use crate::precompile;

/// Half the order of the group, rounded down: the largest `s` that EIP-2 allows.
pub const MAX_S: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A signature that may or may not be valid; any 64 bytes are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// As it stands.
    pub r: [u8; 32],
    /// `yParity * 2^255 + s`.
    pub ys: [u8; 32],
}

impl Signature {
    /// From its parts; `None` if `s` has its top bit set, so that it could not be valid anyway.
    pub fn new(r: [u8; 32], s: [u8; 32], odd: bool) -> Option<Signature> {
        let mut ys = s;
        ys[0] |= u8::from(odd) << 7;
        (s[0] < 0x80).then_some(Signature { r, ys })
    }

    /// From the 64 bytes at the end of a body.
    pub fn from_bytes(bytes: &[u8; 64]) -> Signature {
        let mut out = Signature { r: [0; 32], ys: [0; 32] };
        out.r.copy_from_slice(&bytes[..32]);
        out.ys.copy_from_slice(&bytes[32..]);
        out
    }

    /// From 65 bytes `r | s | v` with `v` 27 or 28, as wallets hand them out; `None` for other bytes.
    pub fn from_rsv(bytes: &[u8]) -> Option<Signature> {
        let (v, rs) = bytes.split_last()?;
        let odd = match v {
            27 => false,
            28 => true,
            _ => return None,
        };
        let Signature { r, ys } = Signature::from_bytes(rs.try_into().ok()?);
        Signature::new(r, ys, odd)
    }

    /// The 65 bytes `r | s | v`.
    pub fn to_rsv(&self) -> [u8; 65] {
        let mut out = [0; 65];
        out[..32].copy_from_slice(&self.r);
        out[32..64].copy_from_slice(&self.s());
        out[64] = 27 + u8::from(self.odd());
        out
    }

    /// The 64 bytes at the end of a body.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.r);
        out[32..].copy_from_slice(&self.ys);
        out
    }

    /// Without the parity.
    pub fn s(&self) -> [u8; 32] {
        let mut s = self.ys;
        s[0] &= 0x7f;
        s
    }

    /// The parity.
    pub fn odd(&self) -> bool {
        self.ys[0] >= 0x80
    }

    /// Who signed the digest; `None` if no one did, or if `s` is in the upper half.
    pub fn signer(&self, digest: [u8; 32]) -> Option<Address> {
        (self.s() <= MAX_S).then_some(())?;
        precompile::recover(digest, self.r, self.s(), self.odd())
    }
}
