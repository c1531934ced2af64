"""px-slab: what is allocated, by cache."""
from px_lib import (address, command, list_objs, memory, obj, percpu)


def caches():
    """(name, object size, handed out, objects there are, pages)."""
    cpu = percpu("cpu_number")
    for cache in list_objs(address("slab_caches"), "kmem_cache", "list"):
        spare = 0
        if cache.magazine[cpu]:
            spare = obj("magazine", cache.magazine[cpu]).count
        yield (memory.string(cache.name), cache.size, cache.nr_out - spare,
               cache.nr_slabs * cache.per_slab, cache.nr_slabs << cache.order,
               spare)


@command("px-slab", "[all]")
def slab(words):
    """Slab caches: objects in use, objects there are, pages.

    Caches without a page are shown only with `all`. Those in a magazine
    (free, at the CPU's hand) are not in use."""
    print(f"{'cache':24} {'size':>6} {'in use':>8} {'objects':>8} "
          f"{'pages':>7} {'at hand':>7}")
    pages = used = 0
    for name, size, out, total, held, spare in caches():
        pages += held
        used += size * out
        if held or "all" in words:
            print(f"{name:24} {size:6} {out:8} {total:8} {held:7} {spare:7}")
    print(f"{pages} pages ({pages * 4} KiB) hold {used} bytes in use")
