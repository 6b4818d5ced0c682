//! The owner loses the role, then is deleted, while the cluster lives: somebody else of the project changes it and
//! removes it, under a trust of theirs.

use std::sync::Arc;
use std::time::Duration;

use magnum::openstack::{Call, Credentials, Named, OpenStack, ReqwestTransport, Service};
use magnum::*;
use serde_json::{Value, json};

use crate::Outcome;
use crate::site::{self, Site};

/// Somebody of the project `demo` who is not to stay.
struct Leaving {
    admin: OpenStack,
    id: String,
    project: String,
    roles: Vec<String>,
    cx: RequestContext,
}

impl Leaving {
    async fn of(site: &Site) -> Result<Self> {
        let admin = OpenStack::builder()
            .cloud(site::config("admin")?)
            .transport(Arc::new(ReqwestTransport::new()))
            .build()?;
        let project = site.cx.project_id.clone();
        let name = format!("leaving-{}", uuid::Uuid::new_v4());
        let body = json!({"user": {"name": name, "password": "leaving-secret", "domain_id": "default"}});
        let made = ask(
            &admin,
            Call::post(Service::IDENTITY, "user", "/users").json(&body),
        )
        .await?;
        let id = text(&made["user"]["id"]);
        let mut roles = Vec::new();
        for role in &site.cx.roles {
            let listed = Call::get(Service::IDENTITY, "role", "/roles").query("name", role.clone());
            let listed = ask(&admin, listed).await?;
            let role = text(&listed["roles"][0]["id"]);
            admin
                .call(
                    &Auth::Service,
                    &assignment(http::Method::PUT, &project, &id, &role),
                )
                .await?;
            roles.push(role);
        }
        let login = Credentials::password(Named::id(&id), "leaving-secret").in_project(Named::id(&project));
        let token = site.openstack.login(login).await?;
        // Keys are a user's, not a project's.
        let keypair = json!({"keypair": {"name": "testkey"}});
        let call = Call::post(Service::COMPUTE, "keypair", "/os-keypairs").json(&keypair);
        site.openstack.call(&Auth::Token(token.clone()), &call).await?;
        let cx = site.openstack.context(&token.token).await?;
        Ok(Self {
            admin,
            id,
            project,
            roles,
            cx,
        })
    }

    async fn loses_its_roles(&self) -> Result<()> {
        for role in &self.roles {
            let call = assignment(http::Method::DELETE, &self.project, &self.id, role);
            self.admin.call(&Auth::Service, &call).await?;
        }
        Ok(())
    }

    async fn is_deleted(&self) -> Result<()> {
        let call = Call::delete(Service::IDENTITY, "user", "/users/{id}").segment(&self.id);
        self.admin.call(&Auth::Service, &call).await.map(|_| ())
    }
}

fn assignment(method: http::Method, project: &str, user: &str, role: &str) -> Call {
    let path = "/projects/{project}/users/{user}/roles/{role}";
    Call::new(Service::IDENTITY, "role", method, path)
        .segment(project)
        .segment(user)
        .segment(role)
}

async fn ask(admin: &OpenStack, call: Call) -> Result<Value> {
    admin.call(&Auth::Service, &call).await?.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A cluster of somebody who leaves; the site's own context is a colleague's from then on.
async fn cluster_of_one_who_leaves(site: &mut Site, name: &str) -> Result<(Leaving, ClusterId), String> {
    let leaving = Leaving::of(site).await.map_err(|error| format!("{error:?}"))?;
    let colleague = std::mem::replace(&mut site.cx, leaving.cx.clone());
    let id = site
        .accept(name, 1)
        .await
        .map_err(|error| format!("{error:?}"))?
        .id;
    let made = site
        .ended(id, Duration::from_secs(300))
        .await?
        .ok_or("the cluster is gone")?;
    site.cx = colleague;
    if made.status != ClusterStatus::CREATE_COMPLETE {
        return Err(format!("{}: {:?}", made.status, made.status_reason));
    }
    Ok((leaving, id))
}

/// First the roles go, and what a colleague changes ends with the reason; then the user goes, and the colleague deletes.
pub async fn roles_then_user() -> Outcome {
    let of = |error: Error| format!("{error:?}");
    let mut site = Site::open("demo", true).await.map_err(of)?;
    let _conductor = site.conductor(None).map_err(of)?;
    let (leaving, id) = cluster_of_one_who_leaves(&mut site, "losing").await?;
    leaving.loses_its_roles().await.map_err(of)?;
    let options = UpdateOptions::default();
    site.magnum
        .scale_cluster(&site.cx, id, 2, options)
        .await
        .map_err(of)?;
    let failed = site
        .ended(id, Duration::from_secs(300))
        .await?
        .ok_or("the cluster is gone")?;
    let reason = failed.status_reason.clone().unwrap_or_default();
    if failed.status != ClusterStatus::UPDATE_FAILED || !reason.starts_with("authorization: ") {
        return Err(format!("{}: {reason}", failed.status));
    }
    leaving.is_deleted().await.map_err(of)?;
    site.gone(id).await?;
    Ok(format!("scale: \"{reason}\"; deleted without the owner"))
}

/// The roles go, and a colleague deletes the cluster of somebody who is still there.
pub async fn roles_only() -> Outcome {
    let of = |error: Error| format!("{error:?}");
    let mut site = Site::open("demo", true).await.map_err(of)?;
    let _conductor = site.conductor(None).map_err(of)?;
    let (leaving, id) = cluster_of_one_who_leaves(&mut site, "roleless").await?;
    leaving.loses_its_roles().await.map_err(of)?;
    site.gone(id).await?;
    leaving.is_deleted().await.map_err(of)?;
    Ok("deleted by a colleague".into())
}

/// The user goes at once. Without somebody who can give a trust the removal ends with the reason; then with one.
pub async fn user_at_once() -> Outcome {
    let of = |error: Error| format!("{error:?}");
    let mut site = Site::open("demo", true).await.map_err(of)?;
    let _conductor = site.conductor(None).map_err(of)?;
    let (leaving, id) = cluster_of_one_who_leaves(&mut site, "gone").await?;
    leaving.is_deleted().await.map_err(of)?;
    let mut tokenless = site.cx.clone();
    tokenless.token = None;
    let delete = site
        .magnum
        .delete_cluster(&tokenless, id, DeleteOptions::default())
        .await;
    delete.map_err(of)?;
    let stuck = site
        .ended(id, Duration::from_secs(240))
        .await?
        .ok_or("gone without a trust")?;
    let reason = stuck.status_reason.clone().unwrap_or_default();
    if stuck.status != ClusterStatus::DELETE_FAILED || !reason.contains("a token that can give trusts") {
        return Err(format!("{}: {reason}", stuck.status));
    }
    site.gone(id).await?;
    Ok("told without a token, deleted with a colleague's".into())
}
