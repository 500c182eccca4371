//! What a page shows, as glyphs with their places: the operators of its content that set text, and no others.
//!
//! Everything is counted: what goes beyond a bound is left out, and said to be.

use std::{collections::HashMap, rc::Rc};

use hayro_syntax::{
    content::{TypedIter, ops::TypedInstruction},
    object::{Array, Dict, Name, Number, Object, ObjectIdentifier},
    page::{Page, Resources, Rotation},
};

use super::font::Font;

/// The most operators of a document that are followed.
const MAX_OPERATORS: usize = 2_000_000;
/// The most glyphs of a document that are kept.
const MAX_GLYPHS: usize = 200_000;
/// The most fonts that are read.
const MAX_FONTS: usize = 500;
/// How deep forms are followed, and states saved.
const MAX_FORMS: usize = 8;
const MAX_STATES: usize = 64;

/// A matrix as PDF writes it: `x' = ax + cy + e`, `y' = bx + dy + f`.
type Matrix = [f64; 6];
const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// A sign at its place; `y` grows upwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    /// Where it begins.
    pub x: f64,
    /// Where the next one would.
    pub end: f64,
    /// The line that it stands on.
    pub y: f64,
    /// How large it is.
    pub size: f64,
    /// What it is; none if that is not known.
    pub text: Option<String>,
}

/// What is kept from page to page.
#[derive(Debug, Default)]
pub(super) struct Reader {
    fonts: HashMap<ObjectIdentifier, Rc<Font>>,
    fonts_read: usize,
    operators: usize,
    glyphs: usize,
    /// Whether something was left out.
    pub is_cut: bool,
}

/// What `q` saves.
#[derive(Debug, Clone)]
struct State {
    ctm: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    char_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
    rise: f64,
    text: Matrix,
    line: Matrix,
}

impl State {
    fn new(ctm: Matrix) -> Self {
        Self {
            ctm,
            font: None,
            size: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            text: IDENTITY,
            line: IDENTITY,
        }
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = times([1.0, 0.0, 0.0, 1.0, x, y], self.line);
        self.text = self.line;
    }
}

/// First `one`, then `other`.
fn times(one: Matrix, other: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = one;
    let [g, h, i, j, k, l] = other;
    [
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + l,
    ]
}

impl Reader {
    /// The glyphs of a page, in the order in which they are drawn.
    pub(super) fn page(&mut self, page: &Page<'_>) -> Vec<Glyph> {
        let mut glyphs = Vec::new();
        let turned = match page.rotation() {
            Rotation::None => IDENTITY,
            Rotation::Horizontal => [0.0, -1.0, 1.0, 0.0, 0.0, 0.0],
            Rotation::Flipped => [-1.0, 0.0, 0.0, -1.0, 0.0, 0.0],
            Rotation::FlippedHorizontal => [0.0, 1.0, -1.0, 0.0, 0.0, 0.0],
        };
        if let Some(content) = page.page_stream() {
            self.follow(
                content,
                page.resources(),
                State::new(turned),
                0,
                &mut glyphs,
            );
        }
        glyphs
    }

    fn follow(
        &mut self,
        content: &[u8],
        resources: &Resources<'_>,
        mut state: State,
        depth: usize,
        glyphs: &mut Vec<Glyph>,
    ) {
        let mut saved: Vec<State> = Vec::new();
        let mut operators = TypedIter::new(content);
        while let Some(operator) = operators.next() {
            self.operators += 1;
            if self.operators > MAX_OPERATORS || self.glyphs >= MAX_GLYPHS {
                self.is_cut = true;
                return;
            }
            match operator {
                TypedInstruction::SaveState(_) if saved.len() < MAX_STATES => {
                    saved.push(state.clone());
                }
                TypedInstruction::RestoreState(_) => {
                    if let Some(before) = saved.pop() {
                        state = before;
                    }
                }
                TypedInstruction::Transform(of) => {
                    let matrix = matrix([of.0, of.1, of.2, of.3, of.4, of.5]);
                    state.ctm = times(matrix, state.ctm);
                }
                TypedInstruction::BeginText(_) => {
                    (state.text, state.line) = (IDENTITY, IDENTITY);
                }
                TypedInstruction::TextFont(of) => {
                    state.font = resources.get_font(of.0).and_then(|dict| self.font(&dict));
                    state.size = of.1.as_f64();
                }
                TypedInstruction::CharacterSpacing(of) => state.char_space = of.0.as_f64(),
                TypedInstruction::WordSpacing(of) => state.word_space = of.0.as_f64(),
                TypedInstruction::HorizontalScaling(of) => state.scale = of.0.as_f64() / 100.0,
                TypedInstruction::TextLeading(of) => state.leading = of.0.as_f64(),
                TypedInstruction::TextRise(of) => state.rise = of.0.as_f64(),
                TypedInstruction::NextLine(of) => state.next_line(of.0.as_f64(), of.1.as_f64()),
                TypedInstruction::NextLineAndSetLeading(of) => {
                    state.leading = -of.1.as_f64();
                    state.next_line(of.0.as_f64(), of.1.as_f64());
                }
                TypedInstruction::NextLineUsingLeading(_) => state.next_line(0.0, -state.leading),
                TypedInstruction::SetTextMatrix(of) => {
                    state.line = matrix([of.0, of.1, of.2, of.3, of.4, of.5]);
                    state.text = state.line;
                }
                TypedInstruction::ShowText(of) => self.show(of.0.as_bytes(), &mut state, glyphs),
                TypedInstruction::NextLineAndShowText(of) => {
                    state.next_line(0.0, -state.leading);
                    self.show(of.0.as_bytes(), &mut state, glyphs);
                }
                TypedInstruction::ShowTextWithParameters(of) => {
                    (state.word_space, state.char_space) = (of.0.as_f64(), of.1.as_f64());
                    state.next_line(0.0, -state.leading);
                    self.show(of.2.as_bytes(), &mut state, glyphs);
                }
                TypedInstruction::ShowTexts(of) => {
                    for object in of.0.iter::<Object<'_>>() {
                        match object {
                            Object::String(text) => self.show(text.as_bytes(), &mut state, glyphs),
                            Object::Number(by) => {
                                let by = -by.as_f64() / 1000.0 * state.size * state.scale;
                                state.text = times([1.0, 0.0, 0.0, 1.0, by, 0.0], state.text);
                            }
                            _ => {}
                        }
                    }
                }
                TypedInstruction::XObject(of) => {
                    self.form(of.0, resources, &state, depth, glyphs);
                }
                _ => {}
            }
        }
    }

    /// Follows a form, which has a content of its own.
    fn form(
        &mut self,
        name: &Name<'_>,
        resources: &Resources<'_>,
        state: &State,
        depth: usize,
        glyphs: &mut Vec<Glyph>,
    ) {
        let Some(form) = resources.get_x_object(name) else {
            return;
        };
        let dict = form.dict();
        if dict.get::<Name<'_>>("Subtype").as_deref() != Some(&b"Form"[..]) {
            return;
        }
        if depth >= MAX_FORMS {
            self.is_cut = true;
            return;
        }
        let own = dict.get::<Dict<'_>>("Resources").map(Resources::new);
        let mut state = state.clone();
        let numbers = dict.get::<Array<'_>>("Matrix");
        let numbers: Vec<Number> = numbers.iter().flat_map(|of| of.iter::<Number>()).collect();
        if let Ok(numbers) = <[Number; 6]>::try_from(numbers) {
            state.ctm = times(matrix(numbers), state.ctm);
        }
        if let Ok(content) = form.decoded_data() {
            self.follow(
                &content,
                own.as_ref().unwrap_or(resources),
                state,
                depth + 1,
                glyphs,
            );
        }
    }

    fn font(&mut self, dict: &Dict<'_>) -> Option<Rc<Font>> {
        let id = dict.obj_id();
        if let Some(font) = id.and_then(|id| self.fonts.get(&id)) {
            return Some(Rc::clone(font));
        }
        if self.fonts_read >= MAX_FONTS {
            self.is_cut = true;
            return None;
        }
        self.fonts_read += 1;
        let font = Rc::new(Font::read(dict));
        if let Some(id) = id {
            self.fonts.insert(id, Rc::clone(&font));
        }
        Some(font)
    }

    fn show(&mut self, bytes: &[u8], state: &mut State, glyphs: &mut Vec<Glyph>) {
        let Some(font) = state.font.clone() else {
            return;
        };
        for shown in font.decode(bytes) {
            if self.glyphs >= MAX_GLYPHS {
                self.is_cut = true;
                return;
            }
            let spacing = state.char_space
                + if shown.is_space {
                    state.word_space
                } else {
                    0.0
                };
            let advance = (shown.advance * state.size + spacing) * state.scale;
            let start = times(
                [1.0, 0.0, 0.0, 1.0, 0.0, state.rise],
                times(state.text, state.ctm),
            );
            state.text = times([1.0, 0.0, 0.0, 1.0, advance, 0.0], state.text);
            let after = times(
                [1.0, 0.0, 0.0, 1.0, 0.0, state.rise],
                times(state.text, state.ctm),
            );
            let size = start[2].hypot(start[3]) * state.size.abs();
            let is_level = start[1].abs() <= start[0].abs() / 4.0 && start[0] > 0.0;
            let is_sane = [start[4], start[5], after[4], size]
                .iter()
                .all(|of| of.is_finite());
            // What stands upright or upside down is a mark beside the text.
            if is_level && is_sane && size > 0.0 {
                self.glyphs += 1;
                glyphs.push(Glyph {
                    x: start[4],
                    end: after[4],
                    y: start[5],
                    size,
                    text: shown.text,
                });
            }
        }
    }
}

fn matrix(numbers: [Number; 6]) -> Matrix {
    numbers.map(|number| number.as_f64())
}
