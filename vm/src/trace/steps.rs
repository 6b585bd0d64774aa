//! The steps of a batch as the prover and the checks read them: whole, one at a time, by value.
//! What is recorded is kept packed; what was changed by hand is kept as it is, so that checks see every change.
use super::{Packed, Step};

/// All steps of a batch, in order of clock.
#[derive(Clone, Debug, Default)]
pub struct Steps(Form);

#[derive(Clone, Debug)]
enum Form {
    /// As the machine recorded them.
    Packed(Box<Packed>),
    /// As somebody made or changed them: anything at all.
    Whole(Vec<Step>),
}

impl Default for Form {
    fn default() -> Form {
        Form::Whole(Vec::new())
    }
}

impl Steps {
    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Packed(steps) => steps.len(),
            Form::Whole(steps) => steps.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Step `index`, whose clock is `index + 1`.
    pub fn get(&self, index: usize) -> Option<Step> {
        match &self.0 {
            Form::Packed(steps) => steps.get(index),
            Form::Whole(steps) => steps.get(index).cloned(),
        }
    }

    /// The first step.
    pub fn first(&self) -> Option<Step> {
        self.get(0)
    }

    /// The last step.
    pub fn last(&self) -> Option<Step> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All steps in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Step> + '_ {
        (0..self.len()).map(|i| self.get(i).expect("an index below the length"))
    }

    /// The steps as a list that can be changed at will, as tests of the checks do; takes some 1,000 bytes each.
    pub fn to_mut(&mut self) -> &mut Vec<Step> {
        if let Form::Packed(_) = self.0 {
            self.0 = Form::Whole(self.iter().collect());
        }
        match &mut self.0 {
            Form::Whole(steps) => steps,
            Form::Packed(_) => unreachable!("unpacked above"),
        }
    }
}

impl From<Vec<Step>> for Steps {
    fn from(steps: Vec<Step>) -> Steps {
        Steps(Form::Whole(steps))
    }
}

impl From<Packed> for Steps {
    fn from(steps: Packed) -> Steps {
        Steps(Form::Packed(Box::new(steps)))
    }
}
