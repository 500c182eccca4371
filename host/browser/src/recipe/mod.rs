//! [`Recipe`]: how one page is walked over. What it holds is in `content`, what it may say in `validate`.

mod content;
mod origin;
mod validate;

pub use content::{
    After, DateFormat, Expected, List, Locator, PayStep, Receipt, Recipe, RecipeError, RecipeStep,
    TEMPLATE, Value,
};
