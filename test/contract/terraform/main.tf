# One instance on an existing interface with everything around it, for Terraform's own AWS provider.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

variable "endpoint" {
  type        = string
  description = "Where the simulator listens."
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "simulator"
  secret_key                  = "simulator"
  skip_metadata_api_check     = true
  skip_credentials_validation = true

  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
}

data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "architecture"
    values = ["x86_64"]
  }

  filter {
    name   = "name"
    values = ["al2023*"]
  }
}

data "aws_subnets" "zone" {
  filter {
    name   = "availability-zone"
    values = ["us-east-1a"]
  }
}

resource "aws_network_interface" "anchor" {
  subnet_id = data.aws_subnets.zone.ids[0]
  tags      = { Name = "anchor" }
}

resource "aws_instance" "machine" {
  ami           = data.aws_ami.linux.id
  instance_type = "t3.micro"

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.anchor.id
  }

  root_block_device {
    delete_on_termination = false
    volume_size           = 10
    volume_type           = "gp3"
  }

  tags = { Name = "machine" }
}

resource "aws_ebs_volume" "data" {
  availability_zone = aws_instance.machine.availability_zone
  size              = 4
  type              = "gp3"
  tags              = { Name = "data" }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.machine.id
}

resource "aws_ebs_snapshot" "root" {
  volume_id = aws_instance.machine.root_block_device[0].volume_id
  tags      = { Name = "root" }
}

resource "aws_ami" "persisted" {
  name                = "persisted-${aws_ebs_snapshot.root.id}"
  architecture        = "x86_64"
  virtualization_type = "hvm"
  ena_support         = true
  root_device_name    = data.aws_ami.linux.root_device_name

  ebs_block_device {
    device_name = data.aws_ami.linux.root_device_name
    snapshot_id = aws_ebs_snapshot.root.id
  }
}

resource "aws_eip" "address" {
  domain = "vpc"
}

resource "aws_eip_association" "address" {
  allocation_id        = aws_eip.address.id
  network_interface_id = aws_network_interface.anchor.id
  depends_on           = [aws_instance.machine]
}

output "private_ip" {
  value = aws_instance.machine.private_ip
}

output "anchor_ip" {
  value = aws_network_interface.anchor.private_ip
}
