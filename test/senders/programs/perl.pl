# Sends the documents on standard input with the bulk helper, as docs/senders shows it.
use strict;
use warnings;
use JSON::PP;
use Search::Elasticsearch;
use Time::HiRes qw(sleep);

my ($url, $index) = @ARGV;
my $lost = 0;
my $es   = Search::Elasticsearch->new(nodes => "$url/es", request_timeout => 60);
my $bulk = $es->bulk_helper(
    index       => $index,
    max_count   => 0,
    on_conflict => sub { },
    on_error    => sub { $lost++; print STDERR "lost: ", JSON::PP->new->canonical->encode([@_]), "\n" },
);

sub send_batch {
    until (eval { $bulk->create(@_); $bulk->flush; 1 }) {
        print STDERR "again: $@\n";
        $bulk->clear_buffer;
        sleep 0.2;
    }
}

my @batch;
while (my $line = <STDIN>) {
    my $document = decode_json($line);
    push @batch, { id => $document->{id}, source => $document };
    send_batch(splice @batch) if @batch == 30;
}
send_batch(@batch);
exit($lost ? 1 : 0);
