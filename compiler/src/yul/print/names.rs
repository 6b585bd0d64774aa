//! One name for each function and variable of a code, different from all others of that code, so that the
//! places of definitions do not matter.
use crate::yul::ast::{Code, FunctionId, VarId};
use std::collections::{HashMap, HashSet};

pub(super) struct Names {
    functions: Vec<String>,
    variables: Vec<String>,
}

impl Names {
    pub fn of(code: &Code) -> Names {
        let functions = code.functions.iter().map(|function| function.name.as_str());
        let variables = code.variables.iter().map(String::as_str);
        let mut taken: HashSet<String> = functions.clone().chain(variables.clone()).map(Into::into).collect();
        let mut uses = HashMap::new();
        let mut distinct = |name| distinct(name, &mut taken, &mut uses);
        Names {
            functions: functions.map(&mut distinct).collect(),
            variables: variables.map(&mut distinct).collect(),
        }
    }

    /// The name of a function; `?`, which does not parse, if it is not one of the code.
    pub fn function(&self, id: FunctionId) -> &str {
        self.functions.get(id as usize).map_or("?", String::as_str)
    }

    /// The name of a variable; likewise.
    pub fn variable(&self, id: VarId) -> &str {
        self.variables.get(id as usize).map_or("?", String::as_str)
    }
}

/// The name itself when it comes for the first time, afterwards with the next suffix that makes it new.
fn distinct<'a>(name: &'a str, taken: &mut HashSet<String>, uses: &mut HashMap<&'a str, u32>) -> String {
    let count = uses.entry(name).or_insert(0);
    loop {
        *count += 1;
        if *count == 1 {
            return name.to_string();
        }
        let candidate = format!("{name}_{count}");
        if taken.insert(candidate.clone()) {
            return candidate;
        }
    }
}
