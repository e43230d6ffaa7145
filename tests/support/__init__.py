"""What tests share: sites, fleets, histories, servers, visitors."""
