//! Stacks: the orchestrator over Heat.

mod parse;
mod request;
mod wording;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use magnum_core::{
    Auth, Error, ErrorKind, Orchestrator, PreviewResource, Result, Stack, StackCreate, StackEvent, StackRef,
    StackResource, StackTemplate, StackUpdate,
};

use crate::{Answer, Call, OpenStack, Service};

/// How many stacks are asked for at a time.
const PAGE: usize = 500;

/// The orchestrator over Heat.
#[derive(Debug)]
pub(crate) struct Heat {
    cloud: OpenStack,
}

impl Heat {
    pub(crate) fn new(cloud: OpenStack) -> Self {
        Self { cloud }
    }

    async fn call(&self, auth: &Auth, call: Call) -> Result<Answer> {
        self.cloud.call(auth, &call).await
    }

    /// The answer, or `None` when Heat says that there is no such thing.
    async fn look(&self, auth: &Auth, call: Call) -> Result<Option<Answer>> {
        match self.call(auth, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Orchestrator for Heat {
    async fn create(&self, auth: &Auth, stack: StackCreate) -> Result<StackRef> {
        let answer = self.call(auth, request::create(&stack)).await?;
        parse::created(&answer, &stack.name)
    }

    async fn update(&self, auth: &Auth, stack: &StackRef, change: StackUpdate) -> Result<()> {
        self.call(auth, request::update(stack, &change)).await?;
        Ok(())
    }

    async fn delete(&self, auth: &Auth, stack: &StackRef) -> Result<()> {
        self.look(auth, request::delete(stack)).await?;
        Ok(())
    }

    async fn find(&self, auth: &Auth, name: &str) -> Result<Option<Stack>> {
        // Asked for a stack by its name, Heat answers with a redirect to a place that it makes up from the
        // request's Host header; behind a proxy that need not be the place to ask. A list has no such trouble.
        let answer = self.call(auth, request::list_named(name)).await?;
        let found = parse::page(&answer)?
            .stacks
            .into_iter()
            .find(|stack| stack.stack.name == name);
        match found {
            Some(found) => self.get(auth, &found.stack).await,
            None => Ok(None),
        }
    }

    async fn get(&self, auth: &Auth, stack: &StackRef) -> Result<Option<Stack>> {
        let Some(answer) = self.look(auth, request::get(stack)).await? else {
            return Ok(None);
        };
        let found = parse::stack(&answer)?;
        if found.is_some() {
            return Ok(found);
        }
        // Heat shows a deletion as complete, and only then gives back its own trust, under the credentials that asked
        // for the deletion: were they taken away now, that trust would stay for ever. It has ended when the stack
        // is no longer listed.
        let listed = self.call(auth, request::list_named(&stack.name)).await?;
        Ok(parse::lists(&listed, &stack.id)?.then(|| parse::leaving(stack)))
    }

    async fn list(&self, auth: &Auth, tag: Option<String>) -> Result<Vec<Stack>> {
        let mut stacks: Vec<Stack> = Vec::new();
        loop {
            let marker = stacks.last().map(|stack| stack.stack.id.clone());
            let answer = self
                .call(auth, request::list(tag.as_deref(), PAGE, marker.as_deref()))
                .await?;
            let page = parse::page(&answer)?;
            // Counted as listed: a full page may hold stacks that are just gone. A service that does not know
            // of pages answers the same again.
            let again = page
                .stacks
                .iter()
                .any(|new| Some(&new.stack.id) == marker.as_ref());
            if again {
                return Ok(stacks);
            }
            let last = page.listed < PAGE || page.stacks.is_empty();
            stacks.extend(page.stacks);
            if last {
                return Ok(stacks);
            }
        }
    }

    async fn resources(
        &self,
        auth: &Auth,
        stack: &StackRef,
        nested_depth: u32,
    ) -> Result<Vec<StackResource>> {
        let answer = self.call(auth, request::resources(stack, nested_depth)).await?;
        parse::resources(&answer, stack)
    }

    async fn resource(&self, auth: &Auth, stack: &StackRef, name: &str) -> Result<Option<StackResource>> {
        match self.look(auth, request::resource(stack, name)).await? {
            Some(answer) => parse::resource(&answer, stack).map(Some),
            None => Ok(None),
        }
    }

    async fn events(&self, auth: &Auth, stack: &StackRef) -> Result<Vec<StackEvent>> {
        let answer = self.call(auth, request::events(stack)).await?;
        parse::events(&answer)
    }

    async fn validate(&self, auth: &Auth, template: StackTemplate) -> Result<()> {
        let answer = self
            .call(auth, request::validate(&template))
            .await
            .map_err(refused)?;
        parse::validated(&answer)
    }

    async fn preview(&self, auth: &Auth, stack: StackCreate) -> Result<Vec<PreviewResource>> {
        let answer = self.call(auth, request::preview(&stack)).await?;
        parse::previewed(&answer)
    }
}

/// A template that Heat does not accept is the caller's mistake, also when a type that it names is not found.
fn refused(error: Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::InvalidInput, error.to_string())
        .at(Service::ORCHESTRATION.name(), "template.validate")
        .with_request_id(error.request_id().map(str::to_owned))
}
