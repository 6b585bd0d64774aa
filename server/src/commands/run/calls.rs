//! `--call` and what stands beside it. `--from`, `--value` and `--gas` belong to the call before them, those before the
//! first call to the deployment. Its sender and gas are those of every call that names none.
use alloy::dyn_abi::DynSolType;
use alloy::primitives::{Address, U256};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Function and arguments, or calldata.
    pub words: Vec<String>,
    /// Sender.
    pub from: Address,
    /// Wei.
    pub value: U256,
    /// Gas.
    pub gas: u32,
}

/// The deployment's sender, value and gas, and the calls in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Who deploys.
    pub from: Address,
    /// Wei for the constructor.
    pub value: U256,
    /// Gas for it.
    pub gas: u32,
    /// The calls.
    pub list: Vec<Call>,
}

/// Who sends unless told otherwise.
const SENDER: Address = Address::new([0x11; 20]);
/// Gas that each call gets unless told otherwise: a block's.
const GAS: u32 = 30_000_000;

impl Calls {
    /// Everybody who sends something.
    pub fn senders(&self) -> impl Iterator<Item = Address> {
        std::iter::once(self.from).chain(self.list.iter().map(|call| call.from))
    }
}

/// Reads wei, as a number or with a unit of Solidity's.
pub fn wei(text: &str) -> Result<U256, String> {
    let value = DynSolType::Uint(256).coerce_str(text).ok().and_then(|value| value.as_uint());
    value
        .map(|(value, _)| value)
        .ok_or_else(|| format!("`{text}` is no amount of wei; try 7 or \"1.5 ether\""))
}

impl Args for Calls {
    fn augment_args(command: Command) -> Command {
        let call = Arg::new("call")
            .long("call")
            .value_names(["FUNCTION", "VALUE"])
            .num_args(1..)
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .help("Call a function, by signature or name, with these arguments; or 0x and calldata; may be repeated");
        let from = Arg::new("from")
            .long("from")
            .value_name("ADDRESS")
            .action(ArgAction::Append)
            .value_parser(|text: &str| text.parse::<Address>().map_err(|error| error.to_string()))
            .help("Sender: of the call before, or of the deployment and all calls if it comes before any");
        let value = Arg::new("value")
            .long("value")
            .value_name("WEI")
            .action(ArgAction::Append)
            .value_parser(wei)
            .help("Wei to send: with the call before, or to the constructor; units as in \"1 ether\"");
        let gas = Arg::new("gas")
            .long("gas")
            .value_name("GAS")
            .action(ArgAction::Append)
            .value_parser(clap::value_parser!(u32))
            .help("Gas: for the call before, or for the deployment and all calls if it comes before any [default: 30000000]");
        command.arg(call).arg(from).arg(value).arg(gas)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Calls::augment_args(command)
    }
}

impl FromArgMatches for Calls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Calls, clap::Error> {
        // Where each call's first word stands among all words.
        let mut places = matches.indices_of("call").into_iter().flatten();
        let mut calls: Vec<(usize, Vec<String>)> = Vec::new();
        for words in matches.get_occurrences::<String>("call").into_iter().flatten() {
            let words: Vec<String> = words.cloned().collect();
            let first = places.by_ref().take(words.len()).min().unwrap_or_default();
            calls.push((first, words));
        }
        let from = belonging::<Address>(matches, "from", &calls)?;
        let value = belonging::<U256>(matches, "value", &calls)?;
        let gas = belonging::<u32>(matches, "gas", &calls)?;
        let (deployer, most) = (from[0].unwrap_or(SENDER), gas[0].unwrap_or(GAS));
        let list = (1..).zip(calls).map(|(place, (_, words))| Call {
            words,
            from: from[place].unwrap_or(deployer),
            value: value[place].unwrap_or_default(),
            gas: gas[place].unwrap_or(most),
        });
        let list = list.collect();
        Ok(Calls { from: deployer, value: value[0].unwrap_or_default(), gas: most, list })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Calls::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of an option for the deployment and for each call.
fn belonging<T: Copy + Send + Sync + 'static>(
    matches: &ArgMatches,
    name: &str,
    calls: &[(usize, Vec<String>)],
) -> Result<Vec<Option<T>>, clap::Error> {
    let mut found = vec![None; calls.len() + 1];
    let values = matches.get_many::<T>(name).into_iter().flatten();
    for (value, place) in values.zip(matches.indices_of(name).into_iter().flatten()) {
        let owner = calls.partition_point(|(first, _)| *first < place);
        if found[owner].replace(*value).is_some() {
            let message = format!("--{name} is given twice for the same call\n");
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        calls: Calls,
    }

    fn read(words: &[&str]) -> Result<Calls, clap::Error> {
        Ok(Line::try_parse_from([&["run"], words].concat())?.calls)
    }

    #[test]
    fn what_stands_behind_a_call_belongs_to_it_and_what_stands_before_all_to_the_deployment() {
        let one = "0x0000000000000000000000000000000000000001";
        let two = "0x0000000000000000000000000000000000000002";
        let words = ["--value", "1 ether", "--from", one, "--gas", "9", "--call", "f", "-7", "--value", "5"];
        let more = ["--call", "g", "--from", two, "--call", "h", "--gas", "8"];
        let calls = read(&[&words[..], &more].concat()).unwrap();
        let (one, two) = (one.parse().unwrap(), two.parse().unwrap());
        assert_eq!((calls.from, calls.value, calls.gas), (one, wei("1000000000000000000").unwrap(), 9));
        let call = |words: &[&str], from, value: u64, gas| Call {
            words: words.iter().map(|word| word.to_string()).collect(),
            from,
            value: U256::from(value),
            gas,
        };
        let expected = [call(&["f", "-7"], one, 5, 9), call(&["g"], two, 0, 9), call(&["h"], one, 0, 8)];
        assert_eq!(calls.list, expected);
        assert_eq!(read(&[]).unwrap().gas, GAS);
    }

    #[test]
    fn an_option_that_stands_twice_for_one_call_is_refused() {
        let error = read(&["--call", "f", "--value", "1", "--value", "2", "--call", "g"]).unwrap_err();
        assert!(error.to_string().contains("--value is given twice"), "{error}");
        assert!(read(&["--value", "some"]).unwrap_err().to_string().contains("no amount of wei"));
    }
}
