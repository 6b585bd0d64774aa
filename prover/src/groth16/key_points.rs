//! Whether a proving key's points are what they claim to be. A bad point never makes a false proof (the proof is
//! verified before it leaves), it makes proving fail, late and without a reason: so it is looked for when a key is taken in.

use super::keys::{KeyError, ProvingKey};
use lathe_kernels::KernelError;
use lathe_kernels::validate::{check_g1, check_g2, check_g2_curve};

fn section(section: &'static str, result: Result<(), KernelError>) -> Result<(), KeyError> {
    result.map_err(|source| KeyError::SectionPoint { section, source })
}

impl ProvingKey {
    /// Checks that every point has coordinates below the field's order and lies on its curve. Milliseconds: 15 for
    /// 2^19 points of G1 on 2 cores of an AMD EPYC with 2 threads; done at every load.
    ///
    /// # Errors
    /// The section and index of the first bad point.
    pub fn check_curves(&self) -> Result<(), KeyError> {
        for (name, points) in
            [("h", &self.h), ("l", &self.l), ("ck", &self.ck), ("a", &self.a), ("b_g1", &self.b_g1)]
        {
            section(name, check_g1((**points).as_ref()))?;
        }
        section("b_g2", check_g2_curve((*self.b_g2).as_ref()))
    }

    /// As [`ProvingKey::check_curves`], and that the points of G2 are in the subgroup. Seconds for a large key: done
    /// at import and on demand, not at every load, where the file's hash shows that nothing has changed since.
    ///
    /// # Errors
    /// The section and index of the first bad point.
    pub fn check_points(&self) -> Result<(), KeyError> {
        self.check_curves()?;
        section("b_g2", check_g2((*self.b_g2).as_ref()))
    }
}
