"""Bins: where samples fall among increasing edges."""

from spintherm.kernels.jit import kernel


@kernel
def find_bins(samples, edges, out):
    """Write the bin of each sample: 0 below all edges, i + 1 in [edges[i], edges[i + 1]).

    The last edge and above give the number of edges. The first guess is that of equal bins, which
    is corrected step by step, so that any increasing edges do. Samples must be numbers.
    """
    last = edges.size - 1
    scale = last / (edges[last] - edges[0])
    for i in range(samples.size):
        x = samples[i]
        if x < edges[0]:
            out[i] = 0
        elif x >= edges[last]:
            out[i] = last + 1
        else:
            bin_ = min(int((x - edges[0]) * scale), last - 1)
            while x < edges[bin_]:
                bin_ -= 1
            while x >= edges[bin_ + 1]:
                bin_ += 1
            out[i] = bin_ + 1
