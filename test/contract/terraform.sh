#!/usr/bin/env bash
# Drives the simulator with Terraform's AWS provider: bash terraform.sh <endpoint>.
# Exit code 3: the provider cannot be obtained here, nothing was run. Its version is whatever the
# range in main.tf allows; a provider mirror or plugin cache of the user's is used as usual.
set -euo pipefail

endpoint="$1"
here="$(cd "$(dirname "$0")" && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cp "$here/terraform/main.tf" "$folder/"
cd "$folder"
export TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1 TF_VAR_endpoint="$endpoint"

if ! TF_REGISTRY_CLIENT_TIMEOUT=5 TF_REGISTRY_DISCOVERY_RETRY=0 timeout 180 terraform init -no-color >init.log 2>&1; then
  grep -m 1 -i "error" init.log >&2 || true
  exit 3
fi
echo "ok - the provider is installed"

terraform apply -auto-approve -no-color >apply.log 2>&1 || { cat apply.log >&2; exit 1; }
echo "ok - apply creates everything"

if [ "$(terraform output -raw private_ip)" != "$(terraform output -raw anchor_ip)" ]; then
  echo "not ok - the instance has not the private address of its interface" >&2
  exit 1
fi
echo "ok - the instance has the private address of its interface"

# 0: no difference; 2: a difference.
terraform plan -detailed-exitcode -no-color >plan.log 2>&1 || { cat plan.log >&2; exit 1; }
echo "ok - a second plan finds no difference"

terraform destroy -auto-approve -no-color >destroy.log 2>&1 || { cat destroy.log >&2; exit 1; }
echo "ok - destroy removes everything"
