/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that a pool of texts gives beside its texts. */
#include "core/base/text_pool.h"
#include "tests/unit/test.h"

TEST(no_bytes_have_an_address_too)
{
    pg_text_pool pool = {0};
    void *none = NULL, *some = NULL;
    OK(pg_text_pool_take(&pool, 0, &none, &err));
    assert_non_null(none);
    OK(pg_text_pool_take(&pool, 24, &some, &err));
    assert_non_null(some);
    assert_int_equal((uintptr_t)some % sizeof(void *), 0);
    pg_text_pool_clear(&pool);
}
