"""What recognizers from outside bench share: files, programs and classes of others."""
