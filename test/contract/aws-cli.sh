#!/usr/bin/env bash
# Drives the simulator with the unmodified AWS CLI: bash aws-cli.sh <endpoint>.
# Each line "ok" is one claim that was checked; the first claim that is false ends the script.
set -euo pipefail

endpoint="$1"
export AWS_ACCESS_KEY_ID=simulator AWS_SECRET_ACCESS_KEY=simulator AWS_DEFAULT_REGION=us-east-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER="" AWS_MAX_ATTEMPTS=1

ec2() { aws --endpoint-url "$endpoint" --output text ec2 "$@"; }
control() { curl --silent --show-error --fail --data "$2" "$endpoint/_simulator/$1"; }
# The CLI's waiters look every 15 seconds of real time; moving time first lets them see the end at
# their first look.
pass_time() { control advance "{\"seconds\":$1}" >/dev/null; }

expect() {
  if [ "$2" != "$3" ]; then
    echo "not ok - $1: expected '$3', got '$2'" >&2
    exit 1
  fi
  echo "ok - $1"
}

expect_error() {
  local sentence="$1" code="$2" output
  shift 2
  if output=$(ec2 "$@" 2>&1); then
    echo "not ok - $sentence: it succeeded" >&2
    exit 1
  fi
  case "$output" in
    *"($code)"*) echo "ok - $sentence" ;;
    *)
      echo "not ok - $sentence: expected $code, got: $output" >&2
      exit 1
      ;;
  esac
}

expect "the caller is the simulator's account" \
  "$(aws --endpoint-url "$endpoint" --output text sts get-caller-identity --query Account)" 123456789012

image=$(ec2 describe-images --owners amazon --filters Name=architecture,Values=x86_64 'Name=name,Values=al2023*' \
  --query 'sort_by(Images, &CreationDate)[-1].ImageId')
device=$(ec2 describe-images --image-ids "$image" --query 'Images[0].RootDeviceName')
subnet=$(ec2 describe-subnets --filters Name=availability-zone,Values=us-east-1a --query 'Subnets[0].SubnetId')
expect "an Amazon image is found by filters" "${image:0:4}" "ami-"

interface=$(ec2 create-network-interface --subnet-id "$subnet" \
  --tag-specifications 'ResourceType=network-interface,Tags=[{Key=Name,Value=anchor}]' \
  --query NetworkInterface.NetworkInterfaceId)
address=$(ec2 describe-network-interfaces --network-interface-ids "$interface" \
  --query 'NetworkInterfaces[0].PrivateIpAddress')

expect_error "a dry run says that it would have worked" DryRunOperation \
  run-instances --dry-run --image-id "$image" --instance-type t3.micro --subnet-id "$subnet"

instance=$(ec2 run-instances --image-id "$image" --instance-type t3.micro --count 1 \
  --network-interfaces "DeviceIndex=0,NetworkInterfaceId=$interface" \
  --block-device-mappings "DeviceName=$device,Ebs={DeleteOnTermination=false}" \
  --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value="web <1> & 2"}]' \
  --user-data $'#!/bin/sh\necho hello > /etc/motd' \
  --query 'Instances[0].InstanceId')
pass_time 30
ec2 wait instance-running --instance-ids "$instance"
expect "an instance on an existing interface keeps its private address" \
  "$(ec2 describe-instances --filters 'Name=tag:Name,Values=web <1> & *' Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].PrivateIpAddress')" "$address"
expect_error "a second instance on the same interface is refused" InvalidNetworkInterface.InUse \
  run-instances --image-id "$image" --instance-type t3.micro \
  --network-interfaces "DeviceIndex=0,NetworkInterfaceId=$interface"

pass_time 120
ec2 wait instance-status-ok --instance-ids "$instance"
echo "ok - both status checks pass"

ec2 create-tags --resources "$instance" --tags Key=Stage,Value=test
expect "tags are found by resource" \
  "$(ec2 describe-tags --filters "Name=resource-id,Values=$instance" Name=key,Values=Stage --query 'Tags[0].Value')" test
ec2 delete-tags --resources "$instance" --tags Key=Stage
expect "deleted tags are gone" \
  "$(ec2 describe-tags --filters "Name=resource-id,Values=$instance" Name=key,Values=Stage --query 'length(Tags)')" 0

control guest/write "{\"instanceId\":\"$instance\",\"path\":\"/data\",\"content\":\"precious\"}" >/dev/null
volume=$(ec2 describe-instances --instance-ids "$instance" \
  --query 'Reservations[0].Instances[0].BlockDeviceMappings[0].Ebs.VolumeId')
snapshot=$(ec2 create-snapshot --volume-id "$volume" --description nightly --query SnapshotId)
pass_time 600
ec2 wait snapshot-completed --snapshot-ids "$snapshot"
registered=$(ec2 register-image --name "contract-$snapshot" --architecture x86_64 --virtualization-type hvm \
  --ena-support --root-device-name "$device" \
  --block-device-mappings "DeviceName=$device,Ebs={SnapshotId=$snapshot}" --query ImageId)
pass_time 120
ec2 wait image-available --image-ids "$registered"
echo "ok - a snapshot completes and an image is registered from it"
expect_error "an image's name is unique" InvalidAMIName.Duplicate \
  register-image --name "contract-$snapshot" --root-device-name "$device" \
  --block-device-mappings "DeviceName=$device,Ebs={SnapshotId=$snapshot}"
expect_error "a snapshot that an image uses cannot be deleted" InvalidSnapshot.InUse \
  delete-snapshot --snapshot-id "$snapshot"

copy=$(ec2 run-instances --image-id "$registered" --instance-type t3.micro --subnet-id "$subnet" \
  --instance-market-options 'MarketType=spot' --query 'Instances[0].InstanceId')
pass_time 60
ec2 wait instance-running --instance-ids "$copy"
expect "a Spot instance of the registered image has the bytes" \
  "$(control guest/read "{\"instanceId\":\"$copy\",\"path\":\"/data\"}")" '{"content":"precious"}'
expect "its lifecycle is Spot" \
  "$(ec2 describe-instances --instance-ids "$copy" --query 'Reservations[0].Instances[0].InstanceLifecycle')" spot

data=$(ec2 create-volume --availability-zone us-east-1a --size 4 --volume-type gp3 --query VolumeId)
pass_time 30
ec2 wait volume-available --volume-ids "$data"
ec2 attach-volume --volume-id "$data" --instance-id "$instance" --device /dev/sdf >/dev/null
pass_time 30
ec2 wait volume-in-use --volume-ids "$data"
expect_error "an attached volume cannot be deleted" VolumeInUse delete-volume --volume-id "$data"
ec2 detach-volume --volume-id "$data" >/dev/null
pass_time 60
ec2 wait volume-available --volume-ids "$data"
ec2 delete-volume --volume-id "$data"
echo "ok - a volume is created, attached, detached and deleted"

allocation=$(ec2 allocate-address --domain vpc --query AllocationId)
association=$(ec2 associate-address --allocation-id "$allocation" --network-interface-id "$interface" --query AssociationId)
expect "an address is associated with the interface" \
  "$(ec2 describe-addresses --allocation-ids "$allocation" --query 'Addresses[0].NetworkInterfaceId')" "$interface"
ec2 disassociate-address --association-id "$association"
ec2 release-address --allocation-id "$allocation"

all=$(ec2 describe-instance-types --query 'length(InstanceTypes[])')
paged=$(aws --endpoint-url "$endpoint" --output json ec2 describe-instance-types --page-size 5 --query 'length(InstanceTypes[])')
expect "pages of five hold as many instance types as one answer" "$paged" "$all"

expect_error "an unknown instance is not found" InvalidInstanceID.NotFound \
  describe-instances --instance-ids i-0123456789abcdef0
expect_error "a malformed instance id is told apart" InvalidInstanceID.Malformed \
  describe-instances --instance-ids i-nonsense
expect_error "an unknown filter is refused" InvalidParameterValue \
  describe-instances --filters Name=colour,Values=red

ec2 terminate-instances --instance-ids "$instance" "$copy" >/dev/null
pass_time 120
ec2 wait instance-terminated --instance-ids "$instance" "$copy"
expect "the root volume that was to be kept is available" \
  "$(ec2 describe-volumes --volume-ids "$volume" --query 'Volumes[0].State')" available
expect "the interface outlives its instance" \
  "$(ec2 describe-network-interfaces --network-interface-ids "$interface" --query 'NetworkInterfaces[0].Status')" available

ec2 deregister-image --image-id "$registered" >/dev/null
ec2 delete-snapshot --snapshot-id "$snapshot"
ec2 delete-volume --volume-id "$volume"
ec2 delete-network-interface --network-interface-id "$interface"
expect_error "what was deleted is gone" InvalidNetworkInterfaceID.NotFound \
  describe-network-interfaces --network-interface-ids "$interface"
