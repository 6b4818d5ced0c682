//! Generated names: `gamma-7-cluster`.

use crate::Result;
use crate::ports::Entropy;

const LETTERS: [&str; 24] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
];

/// A letter, a number from 1 to 24, and what it is: `cluster` or `template`.
pub(super) fn generate(entropy: &dyn Entropy, what: &str) -> Result<String> {
    let mut random = [0u8; 2];
    entropy.fill(&mut random)?;
    let [letter, number] = random;
    let letter = LETTERS[usize::from(letter) % LETTERS.len()];
    Ok(format!("{letter}-{}-{what}", number % 24 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandom;

    #[test]
    fn a_generated_name_is_a_letter_a_number_and_what_it_is() {
        for _ in 0..200 {
            let name = generate(&SystemRandom, "cluster").unwrap();
            let parts: Vec<&str> = name.split('-').collect();
            assert!(LETTERS.contains(&parts[0]), "{name}");
            assert!((1..=24).contains(&parts[1].parse::<u32>().unwrap()), "{name}");
            assert_eq!(parts[2], "cluster");
        }
    }
}
