//! The steps of a batch as the prover and the checks read them: whole, in order, by value.
//! What was recorded is run again as it is read; what was changed by hand is kept as it is, so that checks see every change.
use super::{Page, Recorded, Step};
use std::sync::Arc;

/// All steps of a batch, in order of clock.
#[derive(Clone, Debug, Default)]
pub struct Steps(Form);

#[derive(Clone, Debug)]
enum Form {
    /// As the machine recorded them, with the pages that ran.
    Recorded(Box<Recorded>, Vec<Arc<Page>>),
    /// As somebody made or changed them: anything at all.
    Whole(Vec<Step>),
}

impl Default for Form {
    fn default() -> Form {
        Form::Whole(Vec::new())
    }
}

impl Steps {
    /// Those that were recorded of a run over these pages, the kernel first.
    pub fn recorded(steps: Recorded, pages: Vec<Arc<Page>>) -> Steps {
        Steps(Form::Recorded(Box::new(steps), pages))
    }

    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Recorded(steps, _) => steps.len(),
            Form::Whole(steps) => steps.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All steps in order. Recorded ones are run as far as the iterator is taken: the last one costs a run of all.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Step> + '_> {
        match &self.0 {
            Form::Recorded(steps, pages) => Box::new(steps.iter(pages)),
            Form::Whole(steps) => Box::new(steps.iter().cloned()),
        }
    }

    /// The steps as a list that can be changed at will, as tests of the checks do; takes some 1,000 bytes each.
    pub fn to_mut(&mut self) -> &mut Vec<Step> {
        if let Form::Recorded(..) = self.0 {
            self.0 = Form::Whole(self.iter().collect());
        }
        match &mut self.0 {
            Form::Whole(steps) => steps,
            Form::Recorded(..) => unreachable!("run above"),
        }
    }
}

impl From<Vec<Step>> for Steps {
    fn from(steps: Vec<Step>) -> Steps {
        Steps(Form::Whole(steps))
    }
}
