<?php
namespace go\modules\mailboxpassword\mailboxpassword\controller;

use GO\Email\Model\Account;
use go\core\Controller;
use go\core\cache\Apcu;
use go\core\cache\Disk;
use go\core\cache\None;
use go\core\db\Query;
use go\core\http\Exception;
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
	private const USER = ['id', 'username', 'email', 'displayName', 'enabled', 'recoveryEmail', 'language'];

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
				'enabled' => (bool) $user->enabled,
				'recoveryEmail' => $user->recoveryEmail,
				'language' => $user->language,
				'isAdmin' => $user->isAdmin(),
				'authenticators' => array_map(fn($authenticator) => $authenticator::id(), $user->getAuthenticators()),
			],
		];
	}

	/** Sessions, half log-ins that await a second factor (`pending`), and remember-me cookies. */
	public function list(array $params): array
	{
		$now = gmdate('Y-m-d H:i:s');
		$current = go()->getAuthState()->getToken()->loginToken;
		$open = array_filter($this->rows($params), fn($row) => $row['kind'] !== 'apiKey' && ($row['expiresAt'] === null || $row['expiresAt'] >= $now));
		return ['sessions' => array_map(fn($row) => [
			'id' => $row['publicId'],
			'kind' => $row['kind'],
			'current' => $row['secret'] === $current,
			'clientId' => (string) $row['clientId'],
			'client' => $row['name'],
			'platform' => $row['platform'],
			'userAgent' => $row['version'],
			'remoteAddress' => $row['ip'],
			'issuedAt' => (int) $row['issuedAt'],
			'lastSeenAt' => $row['kind'] === 'remembered' || $row['lastSeen'] === null ? null : strtotime($row['lastSeen'] . ' UTC') * 1000,
		], array_values($open))];
	}

	/** Ends the session `id`, with the remember-me cookie of the same browser. */
	public function end(array $params): array
	{
		$id = $params['id'] ?? null;
		if (!is_string($id) || !preg_match('/^[sr]-[0-9a-f]{32}\z/', $id)) {
			throw new InvalidArguments('id');
		}
		$rows = $this->rows($params);
		$chosen = array_filter($rows, fn($row) => $row['kind'] !== 'apiKey' && $row['publicId'] === $id);
		$clients = array_column(array_filter($chosen, fn($row) => $row['kind'] !== 'remembered'), 'clientId');
		$cookies = array_filter($rows, fn($row) => $row['kind'] === 'remembered' && in_array($row['clientId'], $clients));
		return ['ended' => self::delete($chosen + $cookies)];
	}

	/**
	 * Ends everything that was issued before `issuedBefore`: sessions, half log-ins, remember-me cookies, the caller's PHP session,
	 * sessions that lost their row and live on in the cache; and the log-ins that the cache would repeat with the old password
	 * for up to a minute.
	 */
	public function endAll(array $params): array
	{
		$before = $params['issuedBefore'] ?? null;
		if (!is_int($before) || $before <= 0) {
			throw new InvalidArguments('issuedBefore');
		}
		// First, so that nobody comes in with them while the rows go.
		$logins = $this->forgetLogins($params);
		$rows = $this->rows($params);
		$keys = array_filter($rows, fn($row) => $row['kind'] === 'apiKey');
		$old = array_filter($rows, fn($row) => $row['kind'] !== 'apiKey' && $row['issuedAt'] < $before);
		$cookies = array_filter($old, fn($row) => $row['kind'] === 'remembered');
		$sessions = array_diff_key($old, $cookies);
		$own = go()->getAuthState()->getToken();
		if (in_array($own->loginToken, array_column($sessions, 'secret'), true)) {
			$own->oldLogout();
		}
		self::delete($old);
		$user = $this->user($params);
		return [
			'ended' => $logins + [
				'sessions' => count($sessions),
				'remembered' => count($cookies),
				'rememberedAlone' => count(array_filter($cookies, fn($row) => !in_array($row['clientId'], array_column($sessions, 'clientId')))),
				// After the rows: a request under way may have put a token back, and "Logout all" of Group-Office leaves them there.
				'cachedSessions' => $user === null ? 0 : self::forget('token-', fn($token) => $token instanceof Token
					&& (string) $token->userId === (string) $user->id && $token->expiresAt !== null && self::issuedAt($token->loginToken) < $before),
			],
			'kept' => [
				'apiKeys' => count($keys),
				'newer' => count(array_filter($rows, fn($row) => $row['kind'] !== 'remembered')) - count($sessions) - count($keys),
			],
		];
	}

	/**
	 * Makes the next log-in look at the password itself: a successful one is repeated from the cache for a minute. Whatever name
	 * was typed: the entry is known by the user that it let in.
	 */
	public function forgetLogins(array $params): array
	{
		$user = $this->user($params);
		// [user, authenticator]; what cannot be read goes too: it only costs one look at the password.
		return ['cachedLogins' => $user === null ? 0 : self::forget('login-',
			fn($login) => !is_array($login) || !isset($login[0]->id) || (string) $login[0]->id === (string) $user->id)];
	}

	/**
	 * Puts the new `password` of a mailbox into the user's own e-mail accounts, so that mail keeps working. Only for the service:
	 * the mail server is asked whether the password is right, which must not become a way to try passwords.
	 */
	public function refreshMail(array $params): array
	{
		$this->mustManage();
		$password = $params['password'] ?? null;
		if (!is_string($password) || $password === '' || strlen($password) > 1024) {
			throw new InvalidArguments('password');
		}
		$user = $this->user($params);
		$accounts = $user !== null && $user->hasModule('legacy', 'email') ? Account::model()->findByAttributes(['user_id' => $user->id])->fetchAll() : [];
		$own = array_filter($accounts, fn($account) => in_array(strtolower($account->username), [strtolower($user->username), strtolower(explode('@', $user->username)[0])], true));
		foreach ($own as $account) {
			if ($account->smtp_username === $account->username) {
				$account->smtp_password = $password;
			}
			$account->password = $password;
			$account->checkImapConnectionOnSave = true;
			if (!$account->save(true)) {
				throw new \RuntimeException('The e-mail account was not saved');
			}
		}
		return ['accounts' => count($own)];
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
		$user = null;
		foreach (['username', 'email'] as $name) {
			$found = $user ?? User::find(self::USER)->where([$name => $address])->single();
			// The database compares without accents and trailing blanks, too: somebody else's name.
			$user = $found && strcasecmp($found->$name, $address) === 0 ? $found : $user;
		}
		if ($user === null || !$this->isCaller($user)) {
			$this->mustManage();
		}
		return $user;
	}

	private function isCaller(User $user): bool
	{
		return (string) $user->id === (string) go()->getAuthState()->getUserId();
	}

	private function mustManage(): void
	{
		if (empty($this->rights->mayManage)) {
			throw new Exception(403, 'Forbidden');
		}
	}

	/** All that a user is logged in with, as plain rows: making Token models would log the calling PHP session in as each of them. */
	private function rows(array $params): array
	{
		$user = $this->user($params);
		$rows = [];
		foreach ($user === null ? [] : ['core_auth_token' => ['t.loginToken', 't.accessToken', 't.createdAt'], 'core_auth_remember_me' => ['t.id', 't.series']] as $table => $columns) {
			$query = (new Query())
				->select([...$columns, 't.expiresAt', 't.clientId', 'c.name', 'c.platform', 'c.version', 'c.ip', 'c.lastSeen'])
				->from($table, 't')
				->join('core_client', 'c', 'c.id = t.clientId', 'LEFT')
				->where(['t.userId' => $user->id]);
			foreach ($query->all() as $row) {
				$secret = $row['loginToken'] ?? $row['series'];
				$remembered = isset($row['series']);
				$rows[] = $row + [
					'secret' => $secret,
					'publicId' => self::id($remembered ? 'r' : 's', $secret),
					'kind' => $remembered ? 'remembered' : ($row['expiresAt'] === null ? 'apiKey' : ($row['accessToken'] === null ? 'pending' : 'session')),
					'issuedAt' => self::issuedAt($secret, $row['createdAt'] ?? null),
				];
			}
		}
		return $rows;
	}

	/** Through the models, so that the cache entries go as well. */
	private static function delete(array $rows): int
	{
		$tokens = array_column($rows, 'loginToken');
		$cookies = array_column($rows, 'id');
		if (($tokens && !Token::delete(['loginToken' => $tokens])) || ($cookies && !RememberMe::delete(['id' => $cookies]))) {
			throw new \RuntimeException('The sessions were not deleted');
		}
		return count($rows);
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
				$keys[] = $file->getName();
			}
		} else if (!($cache instanceof None)) {
			// A cache that cannot be searched (Memcached) is emptied.
			$cache->flush(false);
		}
		$forgotten = 0;
		foreach (array_filter($keys, fn($key) => str_starts_with($key, $start)) as $key) {
			$value = $cache->get($key);
			if ($value !== null && $matches($value)) {
				$cache->delete($key);
				$forgotten++;
			}
		}
		return $forgotten;
	}
}
