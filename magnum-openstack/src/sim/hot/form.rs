//! The form of function arguments, as far as it shows without evaluating.

use serde_json::Value;

use super::expression::Expr;
use super::function::Function;
use super::printing::py_repr;
use super::strings;
use super::version::Version;

/// Checks the form of a call's arguments.
///
/// # Errors
/// The message for arguments that do not have it.
pub(crate) fn check_form(
    function: Function,
    name: &str,
    args: &Expr,
    version: Version,
) -> Result<(), String> {
    let is_call = matches!(args, Expr::Call(_));
    let list_len = match args {
        Expr::List(items) => Some(items.len()),
        Expr::Value(Value::Array(items)) => Some(items.len()),
        _ => None,
    };
    let is_map = matches!(args, Expr::Map(_) | Expr::Value(Value::Object(_)));
    match function {
        Function::GetAttr => match list_len {
            None if version >= Version::V20151015 && matches!(args, Expr::Value(Value::Null)) => {
                Err(format!(
                    "Arguments to \"{name}\" can be of the next forms: [resource_name] or [resource_name, attribute, (path), ...]"
                ))
            }
            None => Err(format!("Argument to \"{name}\" must be a list")),
            Some(0) if version >= Version::V20151015 => Err(format!(
                "Arguments to \"{name}\" can be of the next forms: [resource_name] or [resource_name, attribute, (path), ...]"
            )),
            Some(1) if version >= Version::V20151015 => Ok(()),
            Some(0 | 1) => Err(format!(
                "Arguments to \"{name}\" must be of the form [resource_name, attribute, (path), ...]"
            )),
            Some(_) => Ok(()),
        },
        Function::StrReplace | Function::StrReplaceStrict | Function::StrReplaceVstrict => {
            if !is_map {
                return Err(format!("Arguments to \"{name}\" must be a map"));
            }
            let (Some(params), Some(_)) = (args.entry("params"), args.entry("template")) else {
                let example = format!(
                    "{name}:\n{0:14}template: This is var1 template var2\n{0:14}params:\n{0:16}var1: a\n{0:16}var2: string",
                    ""
                );
                return Err(py_repr(&Value::String(format!(
                    "\"{name}\" syntax should be {example}"
                ))));
            };
            match params {
                Expr::Map(_) | Expr::Call(_) | Expr::Value(Value::Object(_)) => Ok(()),
                _ => Err(format!("\"{name}\" parameters must be a mapping")),
            }
        }
        Function::ListJoin => {
            let wrong = |example: &str| {
                Err(format!(
                    "Incorrect arguments to \"{name}\" should be: \"{name}\" : {example}"
                ))
            };
            let several = version >= Version::V20151015;
            match list_len {
                Some(2) => Ok(()),
                Some(n) if several && n > 2 => Ok(()),
                _ if several => wrong("[ \" \", [ \"str1\", \"str2\"] ...]"),
                _ => wrong("[ \" \", [ \"str1\", \"str2\"]]"),
            }
        }
        Function::Repeat => {
            if !is_map {
                return Err(format!("Arguments to \"{name}\" must be a map"));
            }
            let (Some(for_each), Some(_)) = (args.entry("for_each"), args.entry("template")) else {
                let example = format!(
                    "repeat:\n{0:14}template: This is %var%\n{0:14}for_each:\n{0:16}%var%: ['a', 'b', 'c']",
                    ""
                );
                return Err(py_repr(&Value::String(format!(
                    "\"repeat\" syntax should be {example}"
                ))));
            };
            if version >= Version::V20170901
                && let Some(Expr::Value(value)) = args.entry("permutations")
                && !value.is_boolean()
            {
                return Err(format!(
                    "\"permutations\" should be boolean type for {name} function."
                ));
            }
            match for_each {
                Expr::Map(_) | Expr::Call(_) | Expr::Value(Value::Object(_)) => Ok(()),
                _ => Err(format!(
                    "The \"for_each\" argument to \"{name}\" must contain a map"
                )),
            }
        }
        Function::ResourceFacade => match args {
            Expr::Value(Value::String(what))
                if ["metadata", "deletion_policy", "update_policy"].contains(&what.as_str()) =>
            {
                Ok(())
            }
            _ => Err(format!(
                "Incorrect arguments to \"{name}\" should be one of: metadata, deletion_policy, update_policy"
            )),
        },
        Function::StrSplit => match list_len {
            Some(2 | 3) => Ok(()),
            _ => Err(strings::split_form(name)),
        },
        Function::Filter => match list_len {
            None => Err(format!("Argument to \"{name}\" must be a list")),
            Some(2) => Ok(()),
            Some(n) => Err(format!(
                "\"{name}\" expected 2 arguments of the form [values, sequence] but got {n} arguments instead"
            )),
        },
        Function::Contains => match list_len {
            None | Some(0) => Err(format!(
                "Incorrect arguments to \"{name}\" should be: \"{name}\" : [ \"value1\", [ \"value1\", \"value2\"]]"
            )),
            Some(2) => Ok(()),
            Some(_) => Err(format!(
                "Arguments to \"{name}\" must be of the form: [value1, [value1, value2]]"
            )),
        },
        Function::MakeUrl if !is_map && !is_call => Err(format!("The arguments to \"{name}\" must be a map")),
        Function::Yaql => Err(format!("The function {name} is not evaluated by this cloud.")),
        _ => Ok(()),
    }
}
