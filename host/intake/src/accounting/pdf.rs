//! The e-invoice inside a PDF, or else its text, read in a process of its own with bounded memory and time.
//!
//! A PDF of a few kilobytes can ask for any memory and for endless recursion, and what runs out of memory or stack
//! ends without an error. So this program starts itself once more (`platinum-intake read-pdf`), gives it the bytes, and
//! takes its answer: an invoice text, the text of the pages, nothing, or a sentence. Whatever becomes of it, intake goes on.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use platinum_core::text::one_line;
use platinum_einvoice::{
    pdf::embedded_xml,
    read_xml,
    text::{PdfText, read_text},
};
use platinum_invoice::{Invoice, MAX_TEXT_BYTES};

/// The largest PDF that is read, in bytes.
pub const MAX_PDF_BYTES: usize = 25_000_000;
/// The largest XML inside.
const MAX_XML_BYTES: usize = 8 * 1024 * 1024;
/// The address space of the process, in bytes.
const MEMORY: u64 = 512 << 20;
/// Its time on a processor, in seconds.
const CPU_SECONDS: u64 = 10;
/// How long an answer is waited for, also if the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// What begins the answer: that there is one, that there is none, or why none can be read.
const INVOICE: &str = "invoice\n";
const NONE: &str = "none\n";
/// Behind it are two digits: whether the text was cut off, and whether signs of it are not known.
const TEXT: &str = "text ";
const DAMAGED_INVOICE: &str = "damaged invoice\n";
const DAMAGED: &str = "damaged\n";
/// Longest reason of a process, in characters.
const MAX_REASON: usize = 200;

/// Why a PDF was not read, as the end of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfReadError {
    /// It is too long; so many bytes.
    #[error("it has {0} bytes, and {max} is the most that is read", max = MAX_PDF_BYTES)]
    TooLong(usize),
    /// There is an e-invoice inside, and it cannot be read.
    #[error("the e-invoice inside cannot be read: {0}")]
    Invoice(String),
    /// It is none, or protected.
    #[error("{0}")]
    Damaged(String),
    /// The system starts no process.
    #[error("the process that reads it cannot be started: {0}")]
    Start(std::io::ErrorKind),
    /// The process took too long.
    #[error("it took longer than {} s", PATIENCE.as_secs())]
    TooSlow,
    /// The process ended without an answer, as it does beyond its memory or its time.
    #[error("the process that reads it broke off")]
    BrokeOff,
}

/// What a PDF brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PdfContent {
    /// The e-invoice inside.
    Invoice(Box<Invoice>),
    /// No e-invoice, and this text.
    Text(PdfText),
    /// Neither: a scan, say.
    Nothing,
}

/// Who reads PDFs.
#[derive(Debug, Clone, Default)]
pub enum PdfReader {
    /// This process: for tests, and for bytes that are trusted.
    #[default]
    Here,
    /// A process of this program (`platinum-intake`).
    Process(PathBuf),
}

impl PdfReader {
    /// The reader of `platinum-intake`: itself.
    ///
    /// # Errors
    /// If the system does not say where this program is.
    pub fn own_process() -> std::io::Result<Self> {
        Ok(Self::Process(std::env::current_exe()?))
    }

    /// What a PDF brings.
    ///
    /// # Errors
    /// Why it was not read.
    pub fn read(&self, pdf: &[u8]) -> Result<PdfContent, PdfReadError> {
        if pdf.len() > MAX_PDF_BYTES {
            return Err(PdfReadError::TooLong(pdf.len()));
        }
        let answer = match self {
            Self::Here => answer(pdf.to_vec()),
            Self::Process(program) => ask(program, pdf)?,
        };
        if let Some(text) = answer.strip_prefix(INVOICE) {
            let invoice = Invoice::parse(text);
            let invoice = invoice.map_err(|error| PdfReadError::Invoice(error.to_string()))?;
            return Ok(PdfContent::Invoice(Box::new(invoice)));
        }
        if let Some((flags, text)) = answer
            .strip_prefix(TEXT)
            .and_then(|rest| rest.split_once('\n'))
        {
            return Ok(PdfContent::Text(PdfText {
                text: text.to_owned(),
                is_cut: flags.starts_with('1'),
                has_unknown: flags.ends_with('1'),
            }));
        }
        let reason = |why: &str| one_line(why, MAX_REASON);
        if let Some(why) = answer.strip_prefix(DAMAGED_INVOICE) {
            return Err(PdfReadError::Invoice(reason(why)));
        }
        match answer.strip_prefix(DAMAGED) {
            Some(why) => Err(PdfReadError::Damaged(reason(why))),
            None if answer == NONE => Ok(PdfContent::Nothing),
            None => Err(PdfReadError::BrokeOff),
        }
    }
}

/// Lets a new process read it.
fn ask(program: &PathBuf, pdf: &[u8]) -> Result<String, PdfReadError> {
    let mut child = Command::new(program)
        .arg("read-pdf")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| PdfReadError::Start(error.kind()))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read all.
            let _ = stdin.map(|mut stdin| stdin.write_all(pdf));
        });
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                let most = MAX_TEXT_BYTES as u64 + 1024;
                let _ = stdout.take(most).read_to_end(&mut output);
            }
            let _ = sender.send(output);
        });
        let output = receiver.recv_timeout(PATIENCE);
        // What still runs is not waited for; both threads end with its pipes.
        let _ = child.kill();
        let _ = child.wait();
        output
    });
    let output = output.map_err(|_| PdfReadError::TooSlow)?;
    // A character that was cut off at the end is of an answer that was cut off.
    String::from_utf8(output).map_err(|_| PdfReadError::BrokeOff)
}

/// What the process does: reads a PDF from its standard input and prints the answer. Never fails: what cannot be read
/// is the answer.
///
/// # Errors
/// If its own pipes break, or the system does not bound it.
pub fn serve() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    let mut pdf = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_PDF_BYTES as u64)
        .read_to_end(&mut pdf)?;
    std::io::stdout().lock().write_all(answer(pdf).as_bytes())
}

/// The answer of the process.
fn answer(pdf: Vec<u8>) -> String {
    let files = match embedded_xml(pdf.clone(), MAX_XML_BYTES) {
        Ok(files) => files,
        Err(error) => return format!("{DAMAGED}{error}"),
    };
    let mut fault = None;
    for file in files {
        match read_xml(&file.bytes) {
            Ok(Some(invoice)) => return format!("{INVOICE}{}", invoice.render()),
            Ok(None) => {}
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    if let Some(fault) = fault {
        return format!("{DAMAGED_INVOICE}{fault}");
    }
    match read_text(pdf) {
        Ok(read) if read.text.is_empty() => NONE.to_owned(),
        Ok(read) => format!(
            "{TEXT}{}{}\n{}",
            u8::from(read.is_cut),
            u8::from(read.has_unknown),
            read.text
        ),
        Err(error) => format!("{DAMAGED}{error}"),
    }
}
