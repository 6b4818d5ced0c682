//! The templates of all drivers before Heat, in the ways in which their clusters can be asked for.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use magnum::*;
use serde_json::{Map, Value};

use crate::heats::{self, Heat};
use crate::options::Choice;
use crate::subjects::{self, Subject};
use crate::{Outcome, Scenario, differences};

/// How many requests Heat gets at once.
const AT_ONCE: usize = 4;

pub fn all() -> Vec<(String, Scenario)> {
    let of = |subject: &'static Subject| {
        [
            (
                format!("validate_{}", subject.name()),
                Box::pin(validate(subject)) as Scenario,
            ),
            (format!("preview_{}", subject.name()), Box::pin(preview(subject))),
        ]
    };
    subjects::all().iter().flat_map(of).collect()
}

/// Whether the choices have every pair of values.
fn complete(subject: &Subject, choices: &[Choice]) -> Result<(), String> {
    match &subject.missing(choices)[..] {
        [] => Ok(()),
        missing => Err(format!("these never meet: {}", missing.join(", "))),
    }
}

/// Validates the template with the driver's parameters for every combination of options.
async fn validate(subject: &'static Subject) -> Outcome {
    let began = Instant::now();
    let choices = subject.every();
    complete(subject, &choices)?;
    let heat = heats::real().await.map_err(|error| error.to_string())?;
    let template = subject.driver.stack_template();
    futures::stream::iter(choices.clone().into_iter().map(|choice| {
        let (heat, template) = (&heat, &template);
        async move {
            validated(heat, subject, template, &choice)
                .await
                .map_err(|why| format!("{choice:?}: {why}"))
        }
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect::<()>()
    .await?;
    Ok(format!(
        "{} combinations in {:.0} s",
        choices.len(),
        began.elapsed().as_secs_f64()
    ))
}

async fn validated(
    heat: &Heat,
    subject: &Subject,
    template: &StackTemplate,
    choice: &Choice,
) -> Result<(), String> {
    let cluster = subject.cluster(choice, ("mine", "mine"));
    let sent = subject.parameters(&cluster).map_err(|error| error.to_string())?;
    let answer = heat.validate(template, &sent).await?;
    let declared = answer["Parameters"]
        .as_object()
        .ok_or("no parameters in the answer")?;
    let undeclared: Vec<&String> = sent.keys().filter(|name| !declared.contains_key(*name)).collect();
    let missing: Vec<&String> = declared
        .iter()
        .filter(|(name, schema)| schema.get("Default").is_none() && !sent.contains_key(*name))
        .map(|(name, _)| name)
        .collect();
    if undeclared.is_empty() && missing.is_empty() {
        Ok(())
    } else {
        Err(format!("undeclared: {undeclared:?}, missing: {missing:?}"))
    }
}

/// Previews a pairwise choice of the combinations on both clouds, which have to agree.
async fn preview(subject: &'static Subject) -> Outcome {
    let began = Instant::now();
    let choices = subject.pairwise();
    complete(subject, &choices)?;
    let real = heats::real().await.map_err(|error| error.to_string())?;
    let simulated = heats::simulated().await.map_err(|error| error.to_string())?;
    let fixed = format!("previewed-{}-{}", subject.name(), std::process::id());
    let made = real.make_network(&fixed).await?;
    let outcome = async {
        simulated.make_network(&fixed).await?;
        let mut resources = 0;
        for choice in &choices {
            let seen = agreed(&real, &simulated, subject, choice, &fixed).await;
            resources += seen.map_err(|why| format!("{choice:?}: {why}"))?;
        }
        Ok::<usize, String>(resources)
    }
    .await;
    real.delete_network(&made).await?;
    Ok(format!(
        "{} of {} combinations, {} resources agree, in {:.0} s",
        choices.len(),
        subject
            .options
            .iter()
            .map(|(_, values)| values.len())
            .product::<usize>(),
        outcome?,
        began.elapsed().as_secs_f64()
    ))
}

/// How many resources both clouds would make.
async fn agreed(
    real: &Heat,
    simulated: &Heat,
    subject: &Subject,
    choice: &Choice,
    fixed: &str,
) -> Result<usize, String> {
    let sent = subject
        .parameters(&subject.cluster(choice, (fixed, fixed)))
        .map_err(|error| error.to_string())?;
    let template = subject.driver.stack_template();
    let (real, simulated) = tokio::try_join!(
        real.preview("previewed", &template, &sent),
        simulated.preview("previewed", &template, &sent),
    )?;
    let mut trees = [Map::new(), Map::new()];
    for (tree, answer) in trees.iter_mut().zip([real, simulated]) {
        place(&answer, 0, tree)?;
    }
    let [real, simulated] = trees;
    let count = real.len();
    differences::between(&Value::Object(real), &Value::Object(simulated))?;
    Ok(count)
}

/// Puts the resources of a preview, and those nested in it, at their places: depth, stack, name.
fn place(resources: &Value, depth: usize, tree: &mut Map<String, Value>) -> Result<(), String> {
    for resource in resources
        .as_array()
        .ok_or_else(|| format!("no list: {resources}"))?
    {
        if resource.is_array() {
            place(resource, depth + 1, tree)?;
            continue;
        }
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let at = format!("{depth}: {}: {}", text("stack_name"), text("resource_name"));
        if tree.insert(at.clone(), resource.clone()).is_some() {
            return Err(format!("{at} is there twice"));
        }
    }
    Ok(())
}
