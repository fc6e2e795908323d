#!/usr/bin/perl
# Reads cargo's artifact messages and fails if one version of a third-party crate was compiled twice as code: as two
# different .rlib files. Metadata-only builds (.rmeta alone, as clippy makes them) do not count, nor do build scripts and
# macros.
use strict;
use warnings;
use JSON::PP;

my %files;    # package id => { file => 1 }
my $messages = 0;
while (my $line = <>) {
    next unless $line =~ /^\{/;
    my $message = decode_json($line);
    next unless $message->{reason} eq 'compiler-artifact';
    $messages++;
    my $id = $message->{package_id};
    next unless $id =~ /^(registry|git|sparse)\+/;
    next unless grep { $_ eq 'lib' || $_ eq 'rlib' } @{ $message->{target}{kind} };
    $files{$id}{$_} = 1 for grep { /\.rlib$/ } @{ $message->{filenames} };
}
die "no artifacts were listed\n" unless $messages;

my @twice = grep { keys %{ $files{$_} } > 1 } sort keys %files;
for my $id (@twice) {
    print "compiled twice: $id\n";
    print "  $_\n" for sort keys %{ $files{$id} };
}
printf "%d third-party crates, %d compiled twice\n", scalar(keys %files), scalar(@twice);
exit(@twice ? 1 : 0);
