<?php
namespace go\modules\mailboxpassword\mailboxpassword\controller;

use GO\Email\Model\Account;
use go\core\Controller;
use go\core\cache\Apcu;
use go\core\cache\Disk;
use go\core\cache\None;
use go\core\db\Query;
use go\core\fs\File;
use go\core\jmap\exception\InvalidArguments;
use go\core\model\RememberMe;
use go\core\model\Token;
use go\core\model\User;

/**
 * What can only be done inside the web server's PHP: tokens and log-ins live in its cache.
 *
 * Every method takes `address` (a user name or e-mail address); without it the caller is meant. For anybody but oneself the
 * module's manage right is needed. Times are milliseconds since the epoch. API keys (tokens that never expire) are left alive.
 */
final class Session extends Controller
{
	private const USER = ['id', 'username', 'email', 'displayName', 'language', 'enabled'];

	/** Who is calling; with `address`, who that is. */
	public function info(array $params): array
	{
		$user = $this->user($params);
		$token = go()->getAuthState()->getToken();
		$own = $user !== null && $this->isCaller($user);
		return [
			'version' => 1,
			'now' => microtime(true) * 1000,
			'mayManage' => !empty($this->rights->mayManage),
			'cache' => (new \ReflectionClass(go()->getCache()))->getShortName(),
			'cacheId' => self::cacheId(),
			'sessionId' => $own ? self::id('s', $token->loginToken) : null,
			'passedAuthenticators' => $own ? $token->getPassedAuthenticators() : [],
			'user' => $user === null ? null : [
				'id' => (string) $user->id,
				'username' => $user->username,
				'email' => $user->email,
				'displayName' => $user->displayName,
				'language' => $user->language,
				'enabled' => (bool) $user->enabled,
				'isAdmin' => $user->isAdmin(),
				'authenticators' => array_map(fn($authenticator) => $authenticator::id(), $user->getAuthenticators()),
			],
		];
	}

	public function list(array $params): array
	{
		$user = $this->user($params);
		$now = gmdate('Y-m-d H:i:s');
		$current = go()->getAuthState()->getToken()->loginToken;
		$sessions = [];
		foreach ($user === null ? [] : $this->tokens($user) as $row) {
			if ($row['expiresAt'] !== null && $row['expiresAt'] >= $now) {
				$kind = $row['accessToken'] === null ? 'pending' : 'session';
				$sessions[] = self::describe($row, 's', $row['loginToken'], $kind) + ['current' => $row['loginToken'] === $current];
			}
		}
		foreach ($user === null ? [] : $this->remembered($user) as $row) {
			if ($row['expiresAt'] === null || $row['expiresAt'] >= $now) {
				$sessions[] = self::describe($row, 'r', $row['series'], 'remembered') + ['current' => false];
			}
		}
		return ['sessions' => $sessions];
	}

	/** Ends the session `id`, with the remember-me cookie of the same browser. */
	public function end(array $params): array
	{
		$user = $this->user($params);
		$id = $params['id'] ?? null;
		if (!is_string($id) || !preg_match('/^[sr]-[0-9a-f]{32}\z/', $id)) {
			throw new InvalidArguments('id');
		}
		if ($user === null) {
			return ['ended' => 0];
		}
		$tokens = array_filter($this->tokens($user), fn($row) => $row['expiresAt'] !== null && self::id('s', $row['loginToken']) === $id);
		$clients = array_column($tokens, 'clientId');
		$remembered = array_filter($this->remembered($user), fn($row) => self::id('r', $row['series']) === $id || in_array($row['clientId'], $clients));
		return ['ended' => $this->delete($tokens, $remembered)];
	}

	/**
	 * Ends everything that was issued before `issuedBefore`: sessions, half log-ins that await a second factor, remember-me
	 * cookies, the caller's PHP session, sessions that lost their row and live on in the cache, and the log-ins that the cache
	 * would repeat with the old password for up to a minute.
	 */
	public function endAll(array $params): array
	{
		$user = $this->user($params);
		$before = $params['issuedBefore'] ?? null;
		if (!is_int($before) || $before <= 0) {
			throw new InvalidArguments('issuedBefore');
		}
		$ended = ['sessions' => 0, 'remembered' => 0, 'rememberedAlone' => 0, 'cachedSessions' => 0, 'cachedLogins' => 0];
		$kept = ['apiKeys' => 0, 'newer' => 0];
		if ($user === null) {
			return ['ended' => $ended, 'kept' => $kept];
		}

		$tokens = [];
		foreach ($this->tokens($user) as $row) {
			if ($row['expiresAt'] === null) {
				$kept['apiKeys']++;
			} else if (self::issuedAt($row['loginToken'], $row['createdAt']) < $before) {
				$tokens[] = $row;
			} else {
				$kept['newer']++;
			}
		}
		$remembered = array_filter($this->remembered($user), fn($row) => self::issuedAt($row['series']) < $before);
		$clients = array_column($tokens, 'clientId');
		$own = go()->getAuthState()->getToken();
		if (in_array($own->loginToken, array_column($tokens, 'loginToken'), true)) {
			$own->oldLogout();
		}
		$this->delete($tokens, $remembered);
		$ended['sessions'] = count($tokens);
		$ended['remembered'] = count($remembered);
		$ended['rememberedAlone'] = count(array_filter($remembered, fn($row) => !in_array($row['clientId'], $clients)));
		// After the rows: a request under way may have put a token back, and "Logout all" of Group-Office leaves them there.
		$ended['cachedSessions'] = self::forget('token-', fn($token) => $token instanceof Token
			&& (string) $token->userId === (string) $user->id && $token->expiresAt !== null && self::issuedAt($token->loginToken) < $before);
		$ended['cachedLogins'] = self::forgetLoginsOf($user);
		return ['ended' => $ended, 'kept' => $kept];
	}

	/** Makes the next log-in look at the password itself: a successful one is repeated from the cache for a minute. */
	public function forgetLogins(array $params): array
	{
		$user = $this->user($params);
		return ['cachedLogins' => $user === null ? 0 : self::forgetLoginsOf($user)];
	}

	/**
	 * Puts the new `password` of a mailbox into the user's own e-mail accounts, so that mail keeps working. Only for the service:
	 * the mail server is asked whether the password is right, which must not become a way to try passwords.
	 */
	public function refreshMail(array $params): array
	{
		$this->mustManage();
		$user = $this->user($params);
		$password = $params['password'] ?? null;
		if (!is_string($password) || $password === '' || strlen($password) > 1024) {
			throw new InvalidArguments('password');
		}
		$refreshed = 0;
		if ($user === null || !$user->hasModule('legacy', 'email')) {
			return ['accounts' => $refreshed];
		}
		$names = [strtolower($user->username), strtolower(explode('@', $user->username)[0])];
		foreach (Account::model()->findByAttributes(['user_id' => $user->id])->fetchAll() as $account) {
			if (!in_array(strtolower($account->username), $names, true)) {
				continue;
			}
			if ($account->smtp_username === $account->username) {
				$account->smtp_password = $password;
			}
			$account->password = $password;
			$account->checkImapConnectionOnSave = true;
			if (!$account->save(true)) {
				throw new \RuntimeException('The e-mail account was not saved');
			}
			$refreshed++;
		}
		return ['accounts' => $refreshed];
	}

	/** The user concerned, or null where the service asks for somebody Group-Office does not know. */
	private function user(array $params): ?User
	{
		$address = $params['address'] ?? null;
		if ($address === null) {
			return go()->getAuthState()->getUser(self::USER);
		}
		if (!is_string($address) || $address === '' || strlen($address) > 255) {
			throw new InvalidArguments('address');
		}
		$user = User::find(self::USER)->where(['username' => $address])->single() ?: User::find(self::USER)->where(['email' => $address])->single();
		if (!$user || !$this->isCaller($user)) {
			$this->mustManage();
		}
		return $user ?: null;
	}

	private function isCaller(User $user): bool
	{
		return (string) $user->id === (string) go()->getAuthState()->getUserId();
	}

	private function mustManage(): void
	{
		if (empty($this->rights->mayManage)) {
			throw new \go\core\http\Exception(403, 'Forbidden');
		}
	}

	/** Plain rows: making Token models would log the calling PHP session in as each of them. */
	private function tokens(User $user): array
	{
		return $this->rows('core_auth_token', ['t.loginToken', 't.accessToken', 't.createdAt', 't.expiresAt', 't.clientId'], $user);
	}

	private function remembered(User $user): array
	{
		return $this->rows('core_auth_remember_me', ['t.id', 't.series', 't.expiresAt', 't.clientId'], $user);
	}

	private function rows(string $table, array $columns, User $user): array
	{
		return (new Query())
			->select([...$columns, 'c.name', 'c.platform', 'c.version', 'c.ip', 'c.lastSeen'])
			->from($table, 't')
			->join('core_client', 'c', 'c.id = t.clientId', 'LEFT')
			->where(['t.userId' => $user->id])
			->all();
	}

	/** Through the models, so that the cache entries go as well. */
	private function delete(array $tokens, array $remembered): int
	{
		if ($tokens && !Token::delete(['loginToken' => array_column($tokens, 'loginToken')])) {
			throw new \RuntimeException('The sessions were not deleted');
		}
		if ($remembered && !RememberMe::delete(['id' => array_column($remembered, 'id')])) {
			throw new \RuntimeException('The remember-me cookies were not deleted');
		}
		return count($tokens) + count($remembered);
	}

	private static function describe(array $row, string $prefix, string $secret, string $kind): array
	{
		return [
			'id' => self::id($prefix, $secret),
			'kind' => $kind,
			'clientId' => (string) $row['clientId'],
			'client' => $row['name'],
			'platform' => $row['platform'],
			'userAgent' => $row['version'],
			'remoteAddress' => $row['ip'],
			'issuedAt' => (int) self::issuedAt($secret, $row['createdAt'] ?? null),
			'lastSeenAt' => $kind === 'remembered' || $row['lastSeen'] === null ? null : strtotime($row['lastSeen'] . ' UTC') * 1000,
		];
	}

	/** A login token or series is a credential: only its hash leaves. */
	private static function id(string $prefix, string $secret): string
	{
		return $prefix . '-' . substr(hash('sha256', $secret), 0, 32);
	}

	/**
	 * Tokens begin with uniqid(): 8 hex digits of seconds and 5 of microseconds. The column has whole seconds, and a log-in with
	 * the new password may come within the second of the change.
	 */
	private static function issuedAt(string $token, ?string $createdAt = null): float
	{
		$column = $createdAt === null ? null : strtotime($createdAt . ' UTC');
		if (preg_match('/^[0-9a-f]{13}/', $token)) {
			$seconds = hexdec(substr($token, 0, 8));
			if ($column === null || abs($seconds - $column) <= 5) {
				return $seconds * 1000 + hexdec(substr($token, 8, 5)) / 1000;
			}
		}
		// Unknown: as old as can be, so that it ends.
		return ($column ?? 0) * 1000.0;
	}

	/** Differs where several PHP pools or web nodes have a cache each: there a session ended in one lives on in another. */
	private static function cacheId(): string
	{
		$id = go()->getCache()->get('mailboxpassword-cache-id');
		if (!is_string($id)) {
			$id = bin2hex(random_bytes(8));
			go()->getCache()->set('mailboxpassword-cache-id', $id);
		}
		return $id;
	}

	private static function forgetLoginsOf(User $user): int
	{
		// [user, authenticator]; what cannot be read goes too: it only costs one look at the password.
		return self::forget('login-', fn($login) => !is_array($login) || !isset($login[0]->id) || (string) $login[0]->id === (string) $user->id);
	}

	/** Deletes the cache entries that begin with `$start` and match. The keys of log-ins hold a hash of the password, so they are searched. */
	private static function forget(string $start, callable $matches): int
	{
		$cache = go()->getCache();
		$keys = [];
		if ($cache instanceof Apcu && apcu_enabled()) {
			$prefix = go()->getConfig()['db_name'] . '-';
			foreach (new \APCUIterator('/^' . preg_quote($prefix . $start, '/') . '/', APC_ITER_KEY) as $entry) {
				$keys[] = substr($entry['key'], strlen($prefix));
			}
		} else if ($cache instanceof Apcu || $cache instanceof Disk) {
			foreach (go()->getDataFolder()->getFolder('cache/disk')->getFiles() as $file) {
				if ($file instanceof File && str_starts_with($file->getName(), $start)) {
					$keys[] = $file->getName();
				}
			}
		} else if (!($cache instanceof None)) {
			// A cache that cannot be searched (Memcached) is emptied.
			$cache->flush(false);
		}
		$forgotten = 0;
		foreach ($keys as $key) {
			$value = $cache->get($key);
			if ($value !== null && $matches($value)) {
				$cache->delete($key);
				$forgotten++;
			}
		}
		return $forgotten;
	}
}
