"""Drives the simulator with unmodified boto3: python3 boto3_client.py <endpoint>.

Each line "ok" is one claim that was checked; the first claim that is false ends the program.
"""

import json
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
SESSION = boto3.Session(
    aws_access_key_id="simulator",
    aws_secret_access_key="simulator",
    region_name="us-east-1",
)
CONFIG = Config(retries={"total_max_attempts": 1, "mode": "standard"})
ec2 = SESSION.client("ec2", endpoint_url=ENDPOINT, config=CONFIG)


def control(path, /, **body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_simulator/{path}", data=data)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def pass_time(seconds):
    control("advance", seconds=seconds)


def wait(name, **arguments):
    ec2.get_waiter(name).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 40}, **arguments)


def check(sentence, actual, expected):
    if actual != expected:
        sys.exit(f"not ok - {sentence}: expected {expected!r}, got {actual!r}")
    print(f"ok - {sentence}", flush=True)


def check_error(sentence, code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        check(sentence, answer, (code, status))
        return
    sys.exit(f"not ok - {sentence}: it succeeded")


def newest_image():
    images = ec2.describe_images(
        Owners=["amazon"],
        Filters=[
            {"Name": "architecture", "Values": ["x86_64"]},
            {"Name": "name", "Values": ["al2023*"]},
        ],
    )["Images"]
    return max(images, key=lambda image: image["CreationDate"])


def instance_of(instance_id):
    return ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]


def run_and_tag():
    image = newest_image()
    launch = {
        "ImageId": image["ImageId"],
        "InstanceType": "m5.large",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "boto3-contract-1",
        "InstanceMarketOptions": {"MarketType": "spot"},
        "BlockDeviceMappings": [
            {"DeviceName": image["RootDeviceName"], "Ebs": {"DeleteOnTermination": False}}
        ],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "grüße <&> ✓"}]}
        ],
        "UserData": "#!/bin/sh\necho hello > /etc/motd\n",
    }
    check_error("a dry run would succeed", "DryRunOperation", 412, ec2.run_instances, DryRun=True, **launch)
    first = ec2.run_instances(**launch)["Instances"][0]
    again = ec2.run_instances(**launch)["Instances"][0]
    check("one token launches one instance", again["InstanceId"], first["InstanceId"])
    check_error(
        "the same token for another launch is refused",
        "IdempotentParameterMismatch",
        400,
        ec2.run_instances,
        **{**launch, "InstanceType": "m5.xlarge"},
    )
    instance_id = first["InstanceId"]
    wait("instance_running", InstanceIds=[instance_id])
    pass_time(120)
    wait("instance_status_ok", InstanceIds=[instance_id])
    instance = instance_of(instance_id)
    check("tags come back letter by letter", instance["Tags"], [{"Key": "Name", "Value": "grüße <&> ✓"}])
    check("the launch time is UTC", instance["LaunchTime"].utcoffset().total_seconds(), 0.0)
    request = ec2.describe_spot_instance_requests(
        SpotInstanceRequestIds=[instance["SpotInstanceRequestId"]]
    )["SpotInstanceRequests"][0]
    check("the Spot request is active", (request["State"], request["Status"]["Code"]), ("active", "fulfilled"))
    ec2.create_tags(Resources=[instance_id], Tags=[{"Key": "Stage", "Value": "test"}])
    found = ec2.describe_instances(Filters=[{"Name": "tag:Stage", "Values": ["te?t"]}])
    check("a tag filter with a wildcard finds it", len(found["Reservations"]), 1)
    return instance_id


def user_data_comes_back(instance_id):
    attribute = ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    check("user data is readable as base64", attribute["UserData"]["Value"][:4], "IyEv")
    motd = control("guest/read", instanceId=instance_id, path="/etc/motd")
    check("user data ran at the first boot", motd["content"].strip(), "hello")


def snapshot_and_register(instance_id):
    instance = instance_of(instance_id)
    control("guest/write", instanceId=instance_id, path="/data", content="precious")
    volume_id = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume_id, Description="nightly")
    check("a snapshot starts pending", snapshot["State"], "pending")
    pass_time(600)
    snapshot_id = snapshot["SnapshotId"]
    wait("snapshot_completed", SnapshotIds=[snapshot_id])
    check_error(
        "two snapshots of one volume need 15 seconds between them",
        "SnapshotCreationPerVolumeRateExceeded",
        400,
        lambda: [ec2.create_snapshot(VolumeId=volume_id) for _ in range(2)],
    )
    image_id = ec2.register_image(
        Name=f"boto3-{snapshot_id}",
        Architecture="x86_64",
        VirtualizationType="hvm",
        EnaSupport=True,
        RootDeviceName=instance["RootDeviceName"],
        BlockDeviceMappings=[
            {"DeviceName": instance["RootDeviceName"], "Ebs": {"SnapshotId": snapshot_id}}
        ],
    )["ImageId"]
    pass_time(120)
    wait("image_available", ImageIds=[image_id])
    image = ec2.describe_images(ImageIds=[image_id])["Images"][0]
    check("a registered image is ours", image["OwnerId"], "123456789012")
    check_error(
        "its snapshot cannot be deleted", "InvalidSnapshot.InUse", 400, ec2.delete_snapshot, SnapshotId=snapshot_id
    )
    ec2.deregister_image(ImageId=image_id)
    ec2.delete_snapshot(SnapshotId=snapshot_id)


def pagination():
    def types(**paging):
        pages = ec2.get_paginator("describe_instance_types").paginate(**paging)
        return [kind["InstanceType"] for page in pages for kind in page["InstanceTypes"]]

    check("pages of five hold what one answer holds", types(PaginationConfig={"PageSize": 5}), types())
    check_error(
        "ids and pages exclude each other",
        "InvalidParameterCombination",
        400,
        ec2.describe_instances,
        InstanceIds=["i-0123456789abcdef0"],
        MaxResults=5,
    )


def error_codes():
    check_error(
        "an unknown volume is not found",
        "InvalidVolume.NotFound",
        400,
        ec2.describe_volumes,
        VolumeIds=["vol-0123456789abcdef0"],
    )
    control("capacity", instanceType="c5.large", zone="us-east-1a", market="on-demand", available=0)
    check_error(
        "an empty pool is an error of the server",
        "InsufficientInstanceCapacity",
        500,
        ec2.run_instances,
        ImageId=newest_image()["ImageId"],
        InstanceType="c5.large",
        MinCount=1,
        MaxCount=1,
        Placement={"AvailabilityZone": "us-east-1a"},
    )
    control("faults", throttle={"action": "DescribeVpcs", "next": 1})
    check_error("throttling is told as EC2 does", "RequestLimitExceeded", 503, ec2.describe_vpcs)
    control("faults")


def interrupt(instance_id):
    control("interrupt", instanceId=instance_id, noticeSeconds=120)
    request = instance_of(instance_id)["SpotInstanceRequestId"]
    described = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[request])
    check(
        "a Spot instance gets its notice",
        described["SpotInstanceRequests"][0]["Status"]["Code"],
        "marked-for-termination",
    )
    pass_time(240)
    wait("instance_terminated", InstanceIds=[instance_id])
    check(
        "its end has AWS's reason",
        instance_of(instance_id)["StateReason"]["Code"],
        "Server.SpotInstanceTermination",
    )


def resource_api():
    resource = SESSION.resource("ec2", endpoint_url=ENDPOINT, config=CONFIG)
    volume = resource.create_volume(AvailabilityZone="us-east-1b", Size=2, VolumeType="gp3")
    pass_time(30)
    volume.reload()
    check("boto3's resources work too", volume.state, "available")
    volume.delete()


def main():
    sts = SESSION.client("sts", endpoint_url=ENDPOINT, config=CONFIG)
    check("the caller is the simulator's account", sts.get_caller_identity()["Account"], "123456789012")
    pagination()
    error_codes()
    resource_api()
    instance_id = run_and_tag()
    user_data_comes_back(instance_id)
    snapshot_and_register(instance_id)
    interrupt(instance_id)


main()
