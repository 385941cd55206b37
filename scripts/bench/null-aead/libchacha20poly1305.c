// SPDX-License-Identifier: GPL-2.0-only
/* WireGuard's ciphers, doing nothing and finding every packet authentic
 *
 * A module of the name and with the functions of the kernel's own, in place of
 * which it is loaded: what WireGuard costs without cryptography. Its handshake
 * succeeds, as both ends agree. Only for a machine that measures.
 */

#include <crypto/chacha20poly1305.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

void chacha20poly1305_encrypt(u8 *dst, const u8 *src, const size_t src_len,
			      const u8 *ad, const size_t ad_len,
			      const u64 nonce,
			      const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	memmove(dst, src, src_len);
	memset(dst + src_len, 0, CHACHA20POLY1305_AUTHTAG_SIZE);
}
EXPORT_SYMBOL(chacha20poly1305_encrypt);

void xchacha20poly1305_encrypt(u8 *dst, const u8 *src, const size_t src_len,
			       const u8 *ad, const size_t ad_len,
			       const u8 nonce[at_least XCHACHA20POLY1305_NONCE_SIZE],
			       const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	chacha20poly1305_encrypt(dst, src, src_len, ad, ad_len, 0, key);
}
EXPORT_SYMBOL(xchacha20poly1305_encrypt);

bool chacha20poly1305_decrypt(u8 *dst, const u8 *src, const size_t src_len,
			      const u8 *ad, const size_t ad_len,
			      const u64 nonce,
			      const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	if (src_len < CHACHA20POLY1305_AUTHTAG_SIZE)
		return false;
	memmove(dst, src, src_len - CHACHA20POLY1305_AUTHTAG_SIZE);
	return true;
}
EXPORT_SYMBOL(chacha20poly1305_decrypt);

bool xchacha20poly1305_decrypt(u8 *dst, const u8 *src, const size_t src_len,
			       const u8 *ad, const size_t ad_len,
			       const u8 nonce[at_least XCHACHA20POLY1305_NONCE_SIZE],
			       const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	return chacha20poly1305_decrypt(dst, src, src_len, ad, ad_len, 0, key);
}
EXPORT_SYMBOL(xchacha20poly1305_decrypt);

bool chacha20poly1305_encrypt_sg_inplace(struct scatterlist *src,
					 size_t src_len, const u8 *ad,
					 const size_t ad_len, const u64 nonce,
					 const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	static const u8 tag[CHACHA20POLY1305_AUTHTAG_SIZE];

	sg_pcopy_from_buffer(src, sg_nents(src), tag, sizeof(tag), src_len);
	return true;
}
EXPORT_SYMBOL(chacha20poly1305_encrypt_sg_inplace);

bool chacha20poly1305_decrypt_sg_inplace(struct scatterlist *src,
					 size_t src_len, const u8 *ad,
					 const size_t ad_len, const u64 nonce,
					 const u8 key[at_least CHACHA20POLY1305_KEY_SIZE])
{
	return src_len >= CHACHA20POLY1305_AUTHTAG_SIZE;
}
EXPORT_SYMBOL(chacha20poly1305_decrypt_sg_inplace);

MODULE_DESCRIPTION("ChaCha20-Poly1305 that does nothing, to measure what is around it");
MODULE_LICENSE("GPL");
