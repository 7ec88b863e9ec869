"""The offline analyst: answers by fixed rules from the same tools, where no language model is configured or up."""
