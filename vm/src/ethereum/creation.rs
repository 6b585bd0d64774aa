//! Creation data: what an Ethereum transaction without a callee carries, and what `lathec` prints as creation code.
//! It brings the code pages along, so that anybody can rebuild the state from the posted bytes alone.
use crate::trace::Page;
use crate::word::Word;

/// The first byte.
pub const VERSION: u8 = 1;
/// Most pages.
pub const MAX_PAGES: usize = u8::MAX as usize;

/// A contract to be created.
#[derive(Clone, Debug)]
pub struct CreationData {
    /// Pages that become known: deploy page, runtime page, those of everything it can create. May be empty if all are
    /// known already.
    pub pages: Vec<Page>,
    /// Hash of the deploy page.
    pub deploy: Word,
    /// The constructor's arguments.
    pub arguments: Vec<u8>,
}

/// Why bytes are no creation data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreationError {
    /// The bytes end before the arguments.
    #[error("the creation data ends in its {0}")]
    Truncated(&'static str),
    /// Another format; often creation code for the EVM.
    #[error("creation data begins with {VERSION:#04x}, found {0:#04x}; compile the contract with lathec")]
    Version(u8),
    /// No length of a page.
    #[error(
        "page {index} of the creation data has {words} words; a page has a multiple of 12, at most 16380"
    )]
    Length {
        /// Position of the page.
        index: usize,
        /// Its length.
        words: u16,
    },
    /// More pages than the count can say.
    #[error("{0} pages, creation data holds at most {MAX_PAGES}")]
    Count(usize),
}

fn take<'a>(bytes: &mut &'a [u8], len: usize, part: &'static str) -> Result<&'a [u8], CreationError> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(CreationError::Truncated(part))?;
    *bytes = rest;
    Ok(taken)
}

impl CreationData {
    /// Reads creation data.
    ///
    /// # Errors
    /// [`CreationError`]; in the kernel exactly these transactions fail, and those whose deploy page is neither here nor
    /// known.
    pub fn decode(mut bytes: &[u8]) -> Result<CreationData, CreationError> {
        let head = take(&mut bytes, 1, "version")?;
        if head != [VERSION] {
            return Err(CreationError::Version(head[0]));
        }
        let count = take(&mut bytes, 1, "number of pages")?;
        let lengths = take(&mut bytes, 2 * usize::from(count[0]), "page lengths")?;
        let mut pages = Vec::with_capacity(count.len());
        for (index, length) in lengths.chunks_exact(2).enumerate() {
            let words = u16::from_be_bytes([length[0], length[1]]);
            if !Page::is_length(8 * u64::from(words)) {
                return Err(CreationError::Length { index, words });
            }
            let page = take(&mut bytes, 8 * usize::from(words), "pages")?;
            pages.push(Page::from_bytes(page).ok_or(CreationError::Length { index, words })?);
        }
        let deploy = take(&mut bytes, 32, "hash of the deploy page")?;
        let deploy =
            Word::from_first_bytes(deploy).ok_or(CreationError::Truncated("hash of the deploy page"))?;
        Ok(CreationData { pages, deploy, arguments: bytes.to_vec() })
    }

    /// Writes creation data.
    ///
    /// # Errors
    /// More than [`MAX_PAGES`] pages.
    pub fn encode(&self) -> Result<Vec<u8>, CreationError> {
        let count = u8::try_from(self.pages.len()).map_err(|_| CreationError::Count(self.pages.len()))?;
        let mut out = vec![VERSION, count];
        // A page has at most 16380 words.
        self.pages.iter().for_each(|p| out.extend_from_slice(&(p.words.len() as u16).to_be_bytes()));
        self.pages.iter().for_each(|p| out.extend_from_slice(&p.to_bytes()));
        out.extend_from_slice(&self.deploy.to_be_bytes());
        out.extend_from_slice(&self.arguments);
        Ok(out)
    }
}
